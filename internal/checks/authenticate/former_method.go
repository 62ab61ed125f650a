package authenticate

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// FormerMethod moves a client from a secret to a key by an update (RFC 7592 §2.2), and then logs in with the secret that
// it had. The key works, so the refusal of the secret is none of the whole client.
//
// RFC 7592 §2.2: the values of an update replace those that were there. RFC 7591 §2: token_endpoint_auth_method is how the
// client authenticates. FAPI 2.0 §5.3.2.1-6 knows no secrets at all.
var FormerMethod = &check.Check{
	ID:       "authenticate.former-method",
	Title:    "a client that was moved from a secret to a key is not taken by the secret any more",
	Broken:   "a client that was moved from a secret to a key is still taken by the secret",
	Why:      "the move to a stronger method changes nothing for whoever has the old secret, which lies in every place from where it was to be banned",
	Fix:      "let an update that changes the method end what the former one needed, and take a client by its registered method alone",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.2"), frameworks.RFC(7591, "2"), frameworks.FAPI2("5.3.2.1-6"), frameworks.NHI(7), frameworks.ASVS("6.3.4"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-CA-05"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.SecretLogin, check.Method(string(oauth.PrivateKeyJWT))},
	Takes:    check.Rotate,
	Waits:    func(l plan.Limits) time.Duration { return l.Settle.D() },
	Twin:     defect.Set{FormerMethodWorks: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		_, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT) // else there is nowhere to move to
		if err != nil {
			return err
		}
		partner, err := p.OwnBy(ctx, oauth.ClientSecretBasic, oauth.ClientSecretPost)
		if err != nil {
			return err
		}
		former, renewed := p.Login(partner), p.Login(partner)
		err = p.Opens(ctx, former)
		if err != nil {
			return err
		}
		copied, err := former.Make()
		if err != nil {
			return err
		}
		former.Name, renewed.Name = "the former secret", "the key"
		former.Make = func() (wire.Request, error) { return copied.Clone(), nil }
		key, err := oauth.NewKey("ES256")
		if err != nil {
			return err
		}
		_, err = p.Update(ctx, partner, func(metadata map[string]any) {
			metadata["token_endpoint_auth_method"], metadata["jwks"] = string(oauth.PrivateKeyJWT), oauth.JWKSet(key)
		})
		if err != nil {
			return err
		}
		if told := partner.Client().Auth; told != oauth.PrivateKeyJWT {
			return check.CannotTell("the update to %s was answered with %s", oauth.PrivateKeyJWT, told)
		}
		partner.Change(func(client *oauth.Client) { client.Key = key })
		_, answer, err := p.Becomes(ctx, renewed, wire.Accepted, p.Limits.Settle.D())
		if err != nil {
			return err
		}
		if answer.Decision != wire.Accepted {
			return check.CannotTell("the client that was moved to a key does not get in by it: %s", answer.Why)
		}
		_, _, err = p.Becomes(ctx, former, wire.Denied, p.Limits.Settle.D())
		if err != nil {
			return err
		}
		return p.Dead(ctx, &renewed, former)
	},
}
