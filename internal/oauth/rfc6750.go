package oauth

// RFC 6750: bearer tokens.

import (
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Bearer adds a token to a request, in the Authorization header (RFC 6750 §2.1).
func Bearer(r wire.Request, token secret.Text) wire.Request {
	return present(r, wire.Credential{In: wire.InHeader, Name: "Authorization", Prefix: "Bearer ", Text: token})
}
