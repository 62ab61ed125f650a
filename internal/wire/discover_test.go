package wire_test

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// A server that shows a private key must not find it again in our records; what merely has a short name stays readable.
func TestPrivateKeysAreDiscovered(t *testing.T) {
	const private, symmetric, public = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ", "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"
	body := `{"keys":[{"kty":"EC","x":"` + public + `","d":"` + private + `"},{"kty":"oct","k":"` + symmetric + `"}],"p":"page two"}`
	keeper := secret.NewKeeper()
	x := wire.Exchange{Status: 200, Body: []byte(body)}
	x.Discover(keeper)
	masked := keeper.Mask(body)
	for _, hidden := range []string{private, symmetric} {
		if strings.Contains(masked, hidden) {
			t.Errorf("%s is not masked in %s", hidden, masked)
		}
	}
	for _, shown := range []string{public, "page two"} {
		if !strings.Contains(masked, shown) {
			t.Errorf("%s is masked in %s", shown, masked)
		}
	}
}
