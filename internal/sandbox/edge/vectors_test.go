package edge

import (
	"context"
	"crypto/ecdsa"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/sandbox/wycheproof"
)

// served answers every request with a key set.
type served string

func (s served) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(s)))}, nil
}

// TestWycheproof holds edge's own verification against published vectors: the group's key set is what the server
// publishes, and the case comes as a token. The vectors are no access tokens, so typ is put aside.
func TestWycheproof(t *testing.T) {
	t.Parallel()
	anyType := defect.Set{AnyJWTIsAToken: true}
	for _, file := range []string{wycheproof.Signature, wycheproof.Key, wycheproof.Crypto} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			refused, accepted := 0, 0
			for _, group := range wycheproof.Read(t, file) {
				n := &node{keys: map[string]*ecdsa.PublicKey{}, cfg: Config{JWKS: "https://as.example/jwks", Client: &http.Client{Transport: served(group.Keys(t))}}}
				for _, c := range group.Tests {
					if c.JWS == "" {
						continue
					}
					jws, err := parse(string(c.JWS))
					good := err == nil && n.untrusted(context.Background(), jws, anyType) == ""
					switch {
					case good && !c.Valid():
						t.Errorf("case %d (%s, %s) is accepted", c.ID, group.Comment, c.Comment)
					case !good && c.Valid() && err == nil && jws.header.Algorithm == "ES256":
						t.Errorf("case %d (%s, %s) is valid, signed with ES256, and refused", c.ID, group.Comment, c.Comment)
					case good:
						accepted++
					default:
						refused++
					}
				}
			}
			t.Logf("%d refused, %d accepted", refused, accepted)
			if refused == 0 || accepted == 0 && file != wycheproof.Key { // of its valid cases none is signed with ES256
				t.Errorf("%d refused, %d accepted: one of them proves nothing", refused, accepted)
			}
		})
	}
}
