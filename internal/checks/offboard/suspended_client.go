package offboard

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// SuspendedClient stops a client and lets it in again: the half step before the end. What becomes of its living tokens
// is the stage compromise's question. No RFC speaks of suspension; the plan sets the limit.
var SuspendedClient = &check.Check{
	ID:       "offboard.suspended-client",
	Title:    "a suspended client gets no tokens, and gets them again once it is resumed",
	Broken:   "a suspended client still gets tokens, or a resumed one gets none",
	Why:      "beyond the time in the plan, suspending a partner changes a field in a database and nothing else",
	Fix:      "look at the client's status at each token request, and drop caches of clients when it changes",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.NHI(1), frameworks.SP80053("AC-2(3)"), frameworks.SP80053("AC-2(13)"), frameworks.CSF("PR.AA-01")},
	Rows:     []string{"L-OF-04", "L-OF-09"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Hook(plan.Suspend), check.Hook(plan.Resume)},
	Takes:    check.Disable,
	Waits:    func(l plan.Limits) time.Duration { return (l.NewTokensAfterDisable + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.new_tokens_after_disable" },
	Twin:     defect.Set{SuspendIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		other, err := another(ctx, p, partner)
		if err != nil {
			return err
		}
		login := p.Login(partner)
		suspended := false
		err = p.RefusedWithin(ctx, check.Withdrawal{
			What: "suspended client", Limit: p.Limits.NewTokensAfterDisable.D(), Promise: "limits.new_tokens_after_disable", Alive: other,
			Watched: func(context.Context) ([]check.Watched, error) { return []check.Watched{{Call: login}}, nil },
			All: func(ctx context.Context) (wire.Exchange, error) {
				suspended = true
				return p.Hook(ctx, plan.Suspend, partner, nil)
			},
		})
		if !suspended {
			return err
		}
		_, failed := p.Resume(context.WithoutCancel(ctx), partner) // a given client must not stay shut out
		if err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		took, answer, err := p.Becomes(ctx, login, wire.Accepted, p.Limits.Settle.D())
		if err != nil {
			return err
		}
		if answer.Decision == wire.Unknown {
			return check.CannotTell("whether the resumed client gets tokens could not be decided: %s", answer.Why)
		}
		if p.Holds("once it is resumed it gets tokens within "+p.Limits.Settle.String(), answer.Decision == wire.Accepted, answer.Why) {
			p.Note("it got tokens %v after it was resumed", took.Round(10*time.Millisecond))
		}
		return nil
	},
}
