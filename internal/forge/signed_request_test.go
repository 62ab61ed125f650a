package forge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Every forgery of a signed request is made of every kind of key, differs from its original, and is judged bad for its own
// reason on the way. What is not signed cannot be forged.
func TestSignedRequestsAreForged(t *testing.T) {
	for _, alg := range []string{"ES256", "PS256", "EdDSA"} {
		plain, key := registration(t, alg, time.Minute)
		own, err := oauth.NewKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		r := oauth.Signed(plain, oauth.SignRequest("application/jose", key, "software", "https://as.example", time.Minute, 0))
		if got := forge.RequestAlgorithm(r); got != alg {
			t.Errorf("signed with %s, and found %q", alg, got)
		}
		for _, change := range append(forge.SignedRequests(own), forge.RequestForAnother(), forge.UnsignedRequest()) {
			altered, err := change.Apply(r.Clone())
			if err != nil {
				t.Errorf("%s, %s: %v", alg, change.Name, err)
				continue
			}
			if len(wire.Diff(secret.NewKeeper(), r, altered)) == 0 {
				t.Errorf("%s, %s: nothing differs", alg, change.Name)
			}
			_, err = change.Apply(plain.Clone())
			if err == nil || !strings.Contains(err.Error(), "not signed as a whole") {
				t.Errorf("%s, %s of what is not signed: %v", alg, change.Name, err)
			}
		}
	}
}
