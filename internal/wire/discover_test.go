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

// Readers disagree on a member that is named twice, so each of its values is a secret; and so is one in the second of
// several JSON texts, and one that is nested deeper than we read.
func TestSecretsOfOddJSONAreDiscovered(t *testing.T) {
	const one, other = "2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA"
	for name, body := range map[string]string{
		"twice":         `{"access_token":"` + one + `","scope":"a:b \":\" c","access_token":"` + other + `"}`,
		"two texts":     `{"access_token":"` + one + `"}` + "\n" + `{"access_token":"` + other + `"}`,
		"deep":          strings.Repeat(`{"a":`, 200) + `{"access_token":"` + one + `","refresh_token":"` + other + `"}` + strings.Repeat(`}`, 200),
		"in each other": `{"a":[{"access_token":"` + one + `"}],"access_token":"` + other + `"}`,
	} {
		keeper := secret.NewKeeper()
		x := wire.Exchange{Status: 200, Body: []byte(body)}
		x.Discover(keeper)
		if masked := keeper.Mask(body); strings.Contains(masked, one) || strings.Contains(masked, other) {
			t.Errorf("%s: a token is not masked in %s", name, masked)
		}
	}
}
