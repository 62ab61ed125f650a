package forge

import (
	"fmt"

	"github.com/checkride/checkride/internal/secret"
)

// Verifies says whether a token is one of which forgeries can be made: a JWT that verifies with the server's keys. What
// is no JWT gives an [*OpaqueToken].
func (f *Forger) Verifies(token secret.Text) error {
	o, ok := parse(token.Reveal())
	if !ok {
		return &OpaqueToken{Change: "a forgery"}
	}
	if why := Judge(o.compact, f.jwks, Expectation{}); why != Good {
		return fmt.Errorf("the token does not verify with the server's published keys (%s), so a forgery of it proves nothing; look at its jwks", why)
	}
	return nil
}
