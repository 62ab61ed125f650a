package plan

import (
	"strings"
	"testing"
)

func TestFilter(t *testing.T) {
	r := Resolver{Dir: t.TempDir(), AllowExec: true}
	got, err := r.Filter([]string{"sed", "s/a/b/"}, []byte("abc"))
	if err != nil || strings.TrimSpace(string(got)) != "bbc" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, row := range map[string]struct {
		resolver Resolver
		argv     []string
		want     string
	}{
		"not allowed": {Resolver{}, []string{"sed"}, "commands are not allowed"},
		"empty":       {r, nil, "the command is empty"},
		"fails":       {r, []string{"sed", "no such script"}, "the command failed (exit status 1)"},
		"too much":    {r, []string{"yes"}, "more than 1 MiB"},
		"not there":   {r, []string{"./no-such-signer"}, "no-such-signer"},
	} {
		_, err := row.resolver.Filter(row.argv, []byte("secret of the input"))
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "secret of") {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
}
