package plan

import (
	"strings"
	"testing"
)

// What a proxy hides is said before a ride, and only where there is one.
func TestLintProxy(t *testing.T) {
	for text, want := range map[string]int{"": 0, "proxy: none\n": 0, "proxy: http://proxy.example:3128\nproxy_credentials: env:PROXY\n": 2} {
		said := 0
		for _, line := range Lint(mustParse(t, small+text)) {
			if strings.HasPrefix(line, "proxy") {
				said++
			}
		}
		if said != want {
			t.Errorf("%q: %d remarks on the proxy, want %d", text, said, want)
		}
	}
}
