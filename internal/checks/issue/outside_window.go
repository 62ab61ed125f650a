package issue

import (
	"context"
	"errors"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// OutsideWindow asks for a token while the partner's just-in-time window is closed: before it opens and after it closed
// are the same to a server. The same request is accepted before and after, in an open window. Where a token is still
// issued at once, the plan's limit for windows is waited for before it is a finding.
//
// No RFC knows such windows; the agreement does (agreement.window).
var OutsideWindow = &check.Check{
	ID:       "issue.outside-window",
	Title:    "no token is issued outside the partner's just-in-time window",
	Broken:   "a token is issued outside the partner's just-in-time window",
	Why:      "the agreement lets the partner in for a window only: access that was meant for an hour is there all year, and nobody looks at it",
	Fix:      "look at the window at the token endpoint, on every request, before a token is issued",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.NHI(7), frameworks.ASVS("8.3.2"), frameworks.Tenet(3), frameworks.SP80053("AC-3(8)")},
	Rows:     []string{"L-JI-03"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Window, check.Hook("close_window"), check.Hook("open_window")},
	Takes:    check.Disable,
	Waits:    func(l plan.Limits) time.Duration { return l.Window.D() },
	Promise:  func(*plan.Point) string { return "limits.window" },
	Twin:     defect.Set{WindowIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		_, err = p.Hook(ctx, "open_window", partner, nil)
		if err != nil {
			return err
		}
		call := p.AtToken(partner, partner.Usual())
		err = p.Opens(ctx, call)
		if err != nil {
			return err
		}
		_, err = p.Hook(ctx, "close_window", partner, nil)
		if err != nil {
			return err
		}
		_, answer, err := p.Do(ctx, wire.Altered, call)
		if err == nil && answer.Decision == wire.Accepted && p.Limits.Window > 0 {
			p.Note("a token was still issued just after the window was closed")
			err = p.Wait(ctx, p.Limits.Window.D())
			if err == nil {
				_, answer, err = p.Do(ctx, wire.Altered, call)
			}
		}
		// Whatever came of it: the window does not stay closed, and a ride that is stopped must not leave it so.
		_, reopened := p.Hook(context.WithoutCancel(ctx), "open_window", partner, nil)
		err = errors.Join(err, reopened)
		if err != nil {
			return err
		}
		if answer.Decision == wire.Unknown {
			return check.CannotTell("the request in the closed window could not be decided: %s", answer.Why)
		}
		const expected = "no token while the window is closed"
		if answer.Decision == wire.Accepted {
			p.Holds(expected, false, answer.Why)
			return nil
		}
		err = p.Opens(ctx, call)
		if err != nil {
			return err
		}
		p.Holds(expected, true, answer.Why)
		return nil
	},
}
