package forge

import "github.com/checkride/checkride/internal/secret"

// Verifies says whether a token is one of which forgeries can be made: a JWT that verifies with the server's keys. What
// is no JWT gives an [*OpaqueToken].
func (f *Forger) Verifies(token secret.Text) error {
	_, err := f.original("a forgery", token)
	return err
}
