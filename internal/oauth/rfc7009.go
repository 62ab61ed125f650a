package oauth

// RFC 7009: token revocation.

import (
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// RevokeRequest asks s to end a token of c (RFC 7009 §2.1). Hint is access_token, refresh_token or empty.
func (s Server) RevokeRequest(c Client, token secret.Text, hint string) wire.Request {
	return s.aboutToken(c, s.endpoints(c).Revocation, token, hint)
}

func (s Server) aboutToken(c Client, url string, token secret.Text, hint string) wire.Request {
	r := form(s.Name, url)
	r.Who = c.Name
	r = present(r, wire.Credential{In: wire.InForm, Name: "token", Text: token})
	if hint != "" {
		r = field(r, "token_type_hint", hint)
	}
	return Authenticate(r, s, c)
}
