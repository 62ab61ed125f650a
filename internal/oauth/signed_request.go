package oauth

// Registrations that are signed as a whole, as Open Banking UK has them (Dynamic Client Registration 3.3, "Of JWS & JWKS"):
// the metadata are claims of a JWT.

import (
	"time"

	"github.com/checkride/checkride/internal/wire"
)

// SignRequest has the JSON body of a registration or an update sent as the claims of a JWT, beside iss and aud; jti, iat
// and exp are filled in at sending, in the server's time.
func SignRequest(kind string, key Key, issuer, audience string, life, clock time.Duration) wire.Credential {
	header := map[string]any{"alg": key.Alg, "typ": "JWT"}
	if key.ID != "" {
		header["kid"] = key.ID
	}
	return wire.Credential{In: wire.InBody, Name: kind, JWT: &wire.JWT{
		Header: header, Claims: map[string]any{"iss": issuer, "aud": audience}, Life: life, Key: key.Signer, Clock: clock, Request: true,
	}}
}

// Signed gives a request whose body is signed as a whole.
func Signed(r wire.Request, by wire.Credential) wire.Request {
	return r.WithoutHeader("Content-Type").WithCredential(by)
}
