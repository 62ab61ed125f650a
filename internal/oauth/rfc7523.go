package oauth

// RFC 7521 and RFC 7523: client authentication with a JWT.

import (
	"time"

	"github.com/checkride/checkride/internal/wire"
)

// AssertionType is the value of client_assertion_type (RFC 7523 §2.2).
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const assertionLife = time.Minute

// assert adds a client assertion: iss and sub are the client id (RFC 7523 §3(2), RFC 7521 §5.2), aud is the AS
// (§3(3)); jti, iat and exp are filled in at sending, in the server's time.
func assert(r wire.Request, s Server, c Client) wire.Request {
	header := map[string]any{"alg": c.Key.Alg, "typ": "JWT"}
	if c.Key.ID != "" {
		header["kid"] = c.Key.ID
	}
	r = field(r, "client_id", c.ID)
	r = field(r, "client_assertion_type", AssertionType)
	return present(r, wire.Credential{In: wire.InForm, Name: "client_assertion", JWT: &wire.JWT{
		Header: header,
		Claims: map[string]any{"iss": c.ID, "sub": c.ID, "aud": s.AssertionAudience()},
		Life:   assertionLife,
		Key:    c.Key.Signer,
		Clock:  s.Clock,
	}})
}

// AssertionAudience is what client assertions for s name as aud: the issuer, which every profile accepts (RFC 7523
// §3(3) allows the token endpoint, FAPI 2.0 and the update of RFC 7523 do not), unless the server was given another.
func (s Server) AssertionAudience() string { return first(s.Audience, s.Issuer, s.Endpoints.Token) }
