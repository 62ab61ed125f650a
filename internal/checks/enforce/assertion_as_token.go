package enforce

import (
	"context"
	"errors"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// AssertionAsToken presents what is no access token as one: the client's own assertion, real and unexpired, signed with
// its registered key, and its registration access token. Each is shown to be good where it belongs.
//
// RFC 8725 §3.12: the rules by which kinds of JWT are validated must exclude each other. RFC 9068 §4 has the resource
// server verify that typ is at+jwt.
var AssertionAsToken = &check.Check{
	ID:       "enforce.assertion-as-token",
	Title:    "a client assertion or a registration token is refused as an access token",
	Broken:   "a client assertion is accepted as an access token",
	Why:      "a client makes its own tokens, without scope, audience, binding or revocation",
	Fix:      "accept only typ at+jwt signed with the authorization server's keys; clients' keys sign assertions and nothing else",
	Refs:     []frameworks.Ref{frameworks.RFC(9068, "4"), frameworks.RFC(8725, "3.11"), frameworks.RFC(8725, "3.12"), frameworks.ASVS("9.2.2"), frameworks.API(2), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-GW-06", "A-TF-24"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Method(string(oauth.PrivateKeyJWT))},
	Besides:  []*logbook.Breach{registrationTokenTaken},
	Twin:     defect.Set{AnyJWTIsAToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		signer, err := p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{Auth: oauth.PrivateKeyJWT})
		if refusal, refused := oauth.Refusal(err); refused && refusal.Code == "invalid_client_metadata" {
			return check.NotApplicable("the server has no clients that authenticate by private_key_jwt: %v", refusal)
		}
		if err != nil {
			return err
		}
		token, err := signer.Token(ctx, p.Point)
		if err != nil {
			return err
		}
		call := p.Call(signer, token)
		wish := cast.TokenWish{Resource: token.Resource}
		err = p.RefusesGoodElsewhere(ctx, call, p.AtToken(signer, wish), asBearer(signer, wish))
		if err != nil {
			return err
		}
		if signer.Client().RegistrationToken.Empty() {
			return nil
		}
		defer p.Besides(registrationTokenTaken)()
		const name = "the registration access token"
		return p.RefusesGoodElsewhere(ctx, call, p.AtConfiguration(signer), wire.Change{Name: name, Apply: func(r wire.Request) (wire.Request, error) {
			return forge.WithToken(signer.Client().RegistrationToken, name).Apply(r) // reading with it may have rotated it
		}})
	},
}

var registrationTokenTaken = &logbook.Breach{
	Broken:   "a registration access token is accepted as an access token",
	Why:      "what manages a registration opens the API too, without scope, audience, binding or expiry",
	Fix:      "keep the two kinds of token apart at the server, and accept only access tokens at the point",
	Severity: logbook.High,
}

// asBearer puts the assertion of a token request where the access token stood. It is made anew at each sending.
func asBearer(signer *cast.Member, wish cast.TokenWish) wire.Change {
	return wire.Change{Name: "the client's assertion", Apply: func(r wire.Request) (wire.Request, error) {
		for _, credential := range signer.TokenRequest(wish).Credentials {
			if credential.JWT == nil || credential.JWT.Proof || len(r.Credentials) == 0 {
				continue
			}
			place := r.Credentials[0] // the token; a proof of it comes after
			r.Credentials[0] = wire.Credential{In: place.In, Name: place.Name, Prefix: place.Prefix, JWT: credential.JWT}
			return r, nil
		}
		return r, errors.New("the token request carries no assertion")
	}}
}
