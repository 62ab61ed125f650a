package expire

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

// WindowCloses plays access that is just in time: a token that was issued inside the window dies with it, and does not
// come back when the window is opened again. No RFC knows of windows; the agreement does.
var WindowCloses = &check.Check{
	ID:       "expire.window-closes",
	Title:    "access ends with its just-in-time window, and an old token stays dead when the window opens again",
	Broken:   "access outlives its just-in-time window",
	Why:      "the agreement lets the partner in for a window: access that was meant for an hour lasts as long as its last token",
	Fix:      "end the tokens that were issued inside a window when it closes, or bound their life by its end",
	Refs:     []frameworks.Ref{frameworks.NHI(7), frameworks.Tenet(3), frameworks.SP80053("AC-3(8)"), frameworks.House(), frameworks.CSF("PR.AA-05"), frameworks.ASVS("8.3.2")},
	Rows:     []string{"L-JI-02", "L-JI-04"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Window, check.Hook(plan.OpenWindow), check.Hook(plan.CloseWindow)},
	Takes:    check.Disable,
	Waits:    func(l plan.Limits) time.Duration { return l.Window.D() + l.Patience.D() },
	Promise:  func(*plan.Point) string { return "limits.window" },
	Twin:     defect.Set{WindowKeepsTokens: true},
	Also:     []defect.Set{{FeedStopped: true}, {TokenCache: 6 * time.Second}},
	Follows:  []string{"revoke.token-outlives-revocation"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		open := func(ctx context.Context) error {
			_, err := p.Hook(ctx, plan.OpenWindow, partner, nil)
			return err
		}
		err = open(ctx)
		if err != nil {
			return err
		}
		mint := p.Mint(partner)
		old, err := mint(ctx)
		if err != nil {
			return err
		}
		old.Name = "a token of the window before"
		err = p.Opens(ctx, old)
		if err != nil {
			return err
		}
		closed := false
		err = p.WithdrawnWithin(ctx, partner, check.Withdrawal{
			What: "token of a closed window", Limit: p.Limits.Window.D(), Promise: "limits.window",
			All: func(ctx context.Context) (wire.Exchange, error) {
				closed = true
				return p.Hook(ctx, plan.CloseWindow, partner, nil)
			},
		})
		if !closed {
			return err
		}
		partner.ForgetTokens()
		reopened := open(context.WithoutCancel(ctx)) // a given partner must not stay shut out
		if err != nil || reopened != nil {
			return first(err, reopened)
		}
		young, err := mint(ctx)
		if err != nil {
			return err
		}
		young.Name = "a token of the new window"
		ok, err := p.Accepts(ctx, young, "a new token works in the new window")
		if err != nil || !ok {
			return err
		}
		err = p.Wait(ctx, p.Limits.Window.D()) // until then a cache may still hold the refusal
		if err != nil {
			return err
		}
		if !time.Now().Before(old.Token.Expires.Add(-p.Limits.ClockSkew.D())) && !old.Token.Expires.IsZero() {
			p.Note("the old token expired before it could be tried in the new window")
			return nil
		}
		return p.Dead(ctx, &young, old)
	},
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
