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
)

// ExpiredSecret logs in with a secret before the end that the server told for it, and again after it. Beside it another
// client logs in by a secret that has not ended: only the age differs.
//
// RFC 7591 §3.2.1 has the server tell with each secret when it will expire, or 0 if it will not. What it tells is what the
// operator plans by: a secret that outlives it is one that nobody rotates. RFC 6749 §5.2 answers invalid_client.
var ExpiredSecret = &check.Check{
	ID:       "authenticate.expired-secret",
	Title:    "a client secret past its client_secret_expires_at gets no token",
	Broken:   "a client secret past its client_secret_expires_at gets a token",
	Why:      "a secret that was given for ninety days, and then forgotten in a repository or with a former contractor, stays good for ever",
	Fix:      "compare client_secret_expires_at with the clock at each authentication, and not only when the secret is shown or rotated",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "3.2.1"), frameworks.RFC(6749, "5.2"), frameworks.NHI(7), frameworks.ASVS("13.3.4"), frameworks.CSF("PR.AA-01"), frameworks.SP80053("IA-5(1)")},
	Rows:     []string{"L-CA-08"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.SecretLogin},
	Takes:    check.FailAuth,
	Waits:    func(l plan.Limits) time.Duration { return l.ClockSkew.D() + 5*time.Second },
	Promise:  func(*plan.Point) string { return "limits.clock_skew" },
	Twin:     defect.Set{SecretExpiryIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		other, err := p.By(ctx, cast.Partner, oauth.ClientSecretBasic, oauth.ClientSecretPost)
		if err != nil {
			return err
		}
		asked := p.Cast.Plan().Registration.ExpiringSecret
		began := time.Now()
		partner, err := p.Cast.Own(ctx, cast.Partner, cast.Wish{Auth: other.Client().Auth, Metadata: asked})
		if err != nil {
			return err
		}
		ends, told := partner.Client().SecretEnds()
		switch {
		case !told && asked != nil:
			return check.CannotTell("the server tells no end for the secret of a client that was registered by the plan's registration.expiring_secret; correct it")
		case !told:
			return check.NotApplicable("the server tells that its secrets never expire (client_secret_expires_at); if some do, name under registration.expiring_secret how to get one that ends soon")
		}
		p.Relevant("the server tells with each secret when it will expire")
		defer p.Waited(began) // the life of a secret is one wait
		login := p.Login(partner)
		err = p.Opens(ctx, login)
		if err != nil {
			return err
		}
		err = p.Wait(ctx, time.Until(ends.Add(-partner.Server.Clock))+p.Limits.ClockSkew.D()+time.Second) // whole seconds are told
		if err != nil {
			return err
		}
		login.Name = "a secret that ended"
		alive := p.Login(other)
		return p.Dead(ctx, &alive, login)
	},
}
