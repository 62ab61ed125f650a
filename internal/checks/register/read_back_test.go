package register

import (
	"testing"

	"github.com/checkride/checkride/internal/oauth"
)

// A server may keep a key as it likes, with members of its own; whether it is the one that was sent its public part tells.
func TestHoldsKey(t *testing.T) {
	key, err := oauth.NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	other, err := oauth.NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	kept := key.JWK()
	kept["kid"], kept["use"] = "its-own-name", "sig"
	delete(kept, "alg")
	set := map[string]any{"keys": []any{map[string]any(other.JWK()), map[string]any(kept)}}
	if !holdsKey(set, key) {
		t.Error("a key under another kid was not found")
	}
	stranger, err := oauth.NewKey("EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	if holdsKey(set, stranger) || holdsKey(map[string]any{}, key) {
		t.Error("a key that is not there was found")
	}
}
