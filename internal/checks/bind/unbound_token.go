package bind

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// UnboundToken brings a plain bearer token, of a client that is registered without sender constraint, to a point where
// the agreement demands bound ones. It shows the partner's certificate as well, so that the token is all that is wrong.
//
// RFC 8705 §3.4 leaves it to the authorization server whether a client gets unbound tokens, so the point must not rely
// on it. It is the plan that demands binding here, by points.binding or by its profile; of standards only a profile does,
// FAPI 2.0 §5.3.4.
var UnboundToken = &check.Check{
	ID:       "bind.unbound-token",
	Title:    "where bound tokens are agreed, a token without binding is refused",
	Broken:   "a token without binding is accepted where bound tokens are agreed",
	Why:      "the agreement wants bound tokens here: one client registered the simple way undoes that, for its copied token needs no key",
	Fix:      "refuse tokens without cnf at this point, whoever the client is; a missing cnf is not an optional check",
	Refs:     []frameworks.Ref{frameworks.FAPI2("5.3.4-5"), frameworks.RFC(9700, "2.2.1"), frameworks.ASVS("10.3.5"), frameworks.NHI(4), frameworks.API(2), frameworks.House()},
	Rows:     []string{"L-SC-07"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.AgreedBinding, check.Registration},
	Twin:     defect.Set{UnboundAccepted: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		if !p.Point.Binding { // else this need is not there
			p.Relevant("the profile %s demands bound tokens at every point", p.ProfileName())
		}
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		member, err := p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{Auth: plainMethod(call.Member.Server), Unbound: true})
		if refusal, refused := oauth.Refusal(err); refused && refusal.Code == "invalid_client_metadata" {
			return check.NotApplicable("the server has no clients without sender constraint: %v", refusal)
		}
		if err != nil {
			return err
		}
		token, err := member.NewToken(ctx, p.Point) // not its shared one: a point that wants DPoP could not show it
		if refusal, refused := oauth.Refusal(err); refused {
			return check.NotApplicable("the server issues no unbound tokens: %v", refusal)
		}
		if err != nil {
			return err
		}
		if token.JWT != nil && token.JWT.Claims["cnf"] != nil {
			return check.NotApplicable("the server binds tokens that nobody asked it to bind")
		}
		good, err := p.GoodSomewhere(ctx, member, token, cast.TokenWish{Resource: token.Resource})
		if err != nil {
			return err
		}
		return p.RefusesGoodElsewhere(ctx, call, good, forge.Showing(token, "a token without binding"))
	},
}

// plainMethod is a way to authenticate without a certificate that the server offers. RFC 8414 §2: without a list it is
// client_secret_basic.
func plainMethod(server *oauth.Server) oauth.Method {
	offered := oauth.Strings(server.Metadata["token_endpoint_auth_methods_supported"])
	for _, method := range []oauth.Method{oauth.ClientSecretBasic, oauth.PrivateKeyJWT} {
		if slices.Contains(offered, string(method)) {
			return method
		}
	}
	return oauth.ClientSecretBasic
}
