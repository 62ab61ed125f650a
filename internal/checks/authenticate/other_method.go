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

// OtherMethod presents the good secret in the other way: in the form where the header is registered, and in the header
// where the form is.
//
// RFC 7591 §2 registers the one method that a client uses. RFC 6749 §2.3 lets a server accept any method that meets its
// needs; what is registered then says nothing, and a client that was moved to a stronger method can still be played by
// its old one.
var OtherMethod = &check.Check{
	ID:       "authenticate.other-method",
	Title:    "a client is taken only by the authentication method that it is registered for",
	Why:      "whoever steals a weaker credential than the registered one still gets in, and a move to a stronger method ends nothing",
	Fix:      "compare the method of the request with token_endpoint_auth_method of the client, and refuse any other",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "2"), frameworks.FAPI2("5.3.2.1"), frameworks.NHI(4), frameworks.ASVS("6.3.4"), frameworks.SP80053("IA-9")},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.SecretLogin},
	Takes:    check.FailAuth,
	Twin:     defect.Set{MethodDowngrade: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		methods, err := p.Methods(ctx)
		if err != nil {
			return err
		}
		moved := map[oauth.Method]func(id string) wire.Change{
			oauth.ClientSecretBasic: func(id string) wire.Change {
				return wire.Change{Name: "the secret in the form, registered for the header", Apply: func(r wire.Request) (wire.Request, error) {
					r.Credentials = []wire.Credential{{In: wire.InForm, Name: "client_secret", Text: r.Credentials[0].Text}}
					return r.SetForm("client_id", id), nil
				}}
			},
			oauth.ClientSecretPost: func(id string) wire.Change {
				return wire.Change{Name: "the secret in the header, registered for the form", Apply: func(r wire.Request) (wire.Request, error) {
					r.Credentials = []wire.Credential{{In: wire.InHeader, Name: "Authorization", Prefix: "Basic ", Basic: id, Text: r.Credentials[0].Text}}
					return r.WithoutForm("client_id"), nil
				}}
			},
		}
		played := false
		for _, method := range methods {
			change := moved[method]
			if change == nil {
				continue
			}
			partner, err := p.By(ctx, cast.Partner, method)
			if err != nil {
				return err
			}
			err = p.Refuses(ctx, p.Login(partner), change(partner.ID()))
			if err != nil {
				return err
			}
			played = true
		}
		if !played {
			return check.NotApplicable("no partner of this stack authenticates by a secret")
		}
		return nil
	},
}
