package authenticate

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// OtherMethod presents the secret of a client that is registered for client_secret_basic in the form. Not the other way
// round: RFC 6749 §2.3.1 has the server support the header for every client with a secret.
//
// RFC 6749 §2.3.1 does not recommend the form, and would have it limited to clients that cannot use the header; RFC 7591
// §2 registers which one a client uses. It is the same secret on another way, so this is a weakness and no way in; some
// certified servers treat both methods as one (seen: oidc-provider). No clause has the server refuse it: our demand.
var OtherMethod = &check.Check{
	ID:       "authenticate.other-method",
	Title:    "a client that is registered for the header is not taken by a secret in the form",
	Broken:   "a client that is registered for the header is taken by a secret in the form",
	Why:      "forms are logged and kept by proxies and frameworks that know to drop the Authorization header",
	Fix:      "compare the method of the request with token_endpoint_auth_method of the client, and refuse any other",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "2.3.1"), frameworks.RFC(7591, "2"), frameworks.ASVS("6.3.4"), frameworks.SP80053("IA-9"), frameworks.House(), frameworks.NHI(4)},
	Rows:     []string{"L-CA-05", "A-RG-07"},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method(string(oauth.ClientSecretBasic))},
	Takes:    check.FailAuth,
	Twin:     defect.Set{MethodDowngrade: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.ClientSecretBasic)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.Login(partner), wire.Change{Name: "the secret in the form, registered for the header", Apply: func(r wire.Request) (wire.Request, error) {
			secret := wire.Credential{In: wire.InForm, Name: "client_secret", Text: r.Credentials[0].Text}
			return r.AuthenticatedBy(secret).SetForm("client_id", partner.ID()), nil
		}})
	},
}
