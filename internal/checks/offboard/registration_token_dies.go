package offboard

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

// RegistrationTokenDies uses the registration token of a deleted client, to read its configuration and to delete it
// again.
//
// RFC 7592 §5: the registration tokens of a deleted client MUST die with it, and later calls get 401.
var RegistrationTokenDies = &check.Check{
	ID:       "offboard.registration-token-dies",
	Title:    "the registration token of a deleted client opens nothing",
	Broken:   "the registration token of a deleted client still opens its registration",
	Why:      "who held the partner's registration still reads its keys and contacts, and may bring the client back",
	Fix:      "end the registration token with its client, and answer 401 to whoever still shows it",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "5"), frameworks.RFC(7592, "2.3"), frameworks.RFC(7592, "2.1"), frameworks.NHI(1), frameworks.SP80053("AC-2(3)")},
	Rows:     []string{"L-RM-13", "L-OF-03", "A-RG-05"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Takes:    check.Delete,
	Waits:    func(l plan.Limits) time.Duration { return (l.Settle + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.settle" },
	Twin:     defect.Set{RegistrationTokenSurvives: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		other, err := another(ctx, p, partner)
		if err != nil {
			return err
		}
		read := p.AtConfiguration(partner)
		read.Name = "reading the configuration (GET)"
		x, answer, err := p.Do(ctx, wire.Setup, read)
		if err != nil {
			return err
		}
		if answer.Decision != wire.Accepted {
			return check.CannotTell("the client's configuration could not be read while it lived: %s", answer.Why)
		}
		registration, err := oauth.ReadRegistration(x, p.Stack.Keeper)
		if err == nil { // RFC 7592 §2.1: a read may rotate the token
			partner.Change(func(client *oauth.Client) { *client = registration.Known(*client) })
		}
		again := p.AtConfiguration(partner).With(func(r *wire.Request) { r.Method = "DELETE" })
		again.Name = "deleting it again (DELETE)"
		err = p.RefusedWithin(ctx, check.Withdrawal{
			What: "registration token of a deleted client", Limit: p.Limits.Settle.D(), Promise: "limits.settle", Alive: other,
			Watched: func(context.Context) ([]check.Watched, error) {
				return []check.Watched{{Call: read, Sparse: true}}, nil
			},
			All: func(ctx context.Context) (wire.Exchange, error) { return p.Delete(ctx, partner) },
		})
		if err != nil {
			return err
		}
		return p.Dead(ctx, other, again)
	},
}
