package rotate

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// OldSecret rotates the secret of a client, by the operator's hook or by an update (RFC 7592 §2.2, whose answer may carry
// a new one), and measures how long the old secret still gets tokens. The new one must work all the while, else the
// refusal of the old says nothing.
//
// RFC 7592 §2.1 and §2.2 bind the client: it MUST drop the old secret at once. How long the server may take it is the
// plan's to say (limits.secret_overlap); on top of it comes the time that a write may take to reach all replicas.
var OldSecret = &check.Check{
	ID:       "rotate.old-secret",
	Title:    "a rotated client secret gets no token after the agreed overlap",
	Broken:   "a rotated client secret gets a token after the agreed overlap",
	Why:      "beyond the overlap that the plan allows, a secret that was rotated because it leaked is still good for whoever found it",
	Fix:      "let the rotation end the old secret, at once or after the agreed overlap; look for a list of former secrets",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7592, "2.2"), frameworks.NHI(7), frameworks.ASVS("13.3.4"), frameworks.CSF("PR.AA-01"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-JW-08", "L-OF-09", "A-RV-05"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Rotation(plan.RotateSecret), check.SecretLogin},
	Takes:    check.Rotate,
	Waits:    func(l plan.Limits) time.Duration { return (l.SecretOverlap + l.Settle + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.secret_overlap" },
	Besides:  []*logbook.Breach{check.Outage},
	Twin:     defect.Set{OldSecretWorks: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.OwnBy(ctx, oauth.ClientSecretBasic, oauth.ClientSecretPost)
		if err != nil {
			return err
		}
		login := p.Login(partner)
		copied, err := login.Make()
		if err != nil {
			return err
		}
		old, renewed := login, login
		old.Name, renewed.Name = "the old secret", "the new secret"
		old.Make = func() (wire.Request, error) { return copied.Clone(), nil }
		restored, err := p.Service(ctx, partner)
		if err != nil {
			return err
		}
		rotate := func(ctx context.Context) (wire.Exchange, error) {
			x, err := p.NewSecret(ctx, partner)
			if err != nil {
				return x, err
			}
			return x, restored(ctx, x, "the new secret")
		}
		return p.RefusedWithin(ctx, check.Withdrawal{
			What: "rotated secret", Limit: (p.Limits.SecretOverlap + p.Limits.Settle).D(), Promise: "limits.secret_overlap", All: rotate, Sibling: &renewed,
			Watched: func(context.Context) ([]check.Watched, error) { return []check.Watched{{Call: old}}, nil },
		})
	},
}
