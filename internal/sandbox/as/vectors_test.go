package as

import (
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/checkride/checkride/internal/sandbox/wycheproof"
)

// TestWycheproof holds the verification of assertions against published vectors: a client whose key set is the group's
// signs with the case. Every invalid case is refused, be it already with the key set; every valid one whose algorithm this
// server takes is accepted.
func TestWycheproof(t *testing.T) {
	t.Parallel()
	verified := append(assertionAlgorithms(), jose.RS256) // which is not listed, and taken under a defect
	taken := map[string]bool{}
	for _, one := range verified {
		taken[string(one)] = true
	}
	for _, file := range []string{wycheproof.Signature, wycheproof.Key, wycheproof.Crypto} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			refused, accepted := 0, 0
			for _, group := range wycheproof.Read(t, file) {
				keys := &registration{}
				unread := keys.takeJWKS(group.Keys(t), false)
				for _, c := range group.Tests {
					if c.JWS == "" {
						continue
					}
					good, alg, raw := false, "", string(c.JWS)
					if token, err := jwt.ParseSigned(raw, verified); err == nil && canonical(raw) && unread == nil {
						alg = token.Headers[0].Algorithm
						for _, key := range keys.keys {
							good = good || verifies(raw, token, key)
						}
					}
					switch {
					case good && !c.Valid():
						t.Errorf("case %d (%s, %s) is accepted", c.ID, group.Comment, c.Comment)
					case good && wycheproof.Deviations[c.ID] != "" && file == wycheproof.Signature:
						t.Errorf("case %d (%s) is accepted: %s", c.ID, group.Comment, wycheproof.Deviations[c.ID])
					case !good && c.Valid() && taken[alg]:
						t.Errorf("case %d (%s, %s) is valid, signed with %s, and refused", c.ID, group.Comment, c.Comment, alg)
					case good:
						accepted++
					default:
						refused++
					}
				}
			}
			t.Logf("%d refused, %d accepted", refused, accepted)
			if refused == 0 || accepted == 0 {
				t.Errorf("%d refused, %d accepted: one of them proves nothing", refused, accepted)
			}
		})
	}
}
