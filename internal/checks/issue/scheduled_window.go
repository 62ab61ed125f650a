package issue

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

// ScheduledWindow announces a just-in-time window that lies a moment ahead, and lives through it: before it opens the
// partner gets no token, inside it gets one, and after its end neither a new token nor the old one is good, though nobody
// closed it by hand. Windows that somebody must close stay open over the weekend.
//
// A clock may be off by limits.clock_skew on either side. At the end the same partner is let in by a window around now:
// the refusals were the window's and nothing else's.
//
// No RFC knows such windows; the agreement does (agreement.window).
var ScheduledWindow = &check.Check{
	ID:       "issue.scheduled-window",
	Title:    "a just-in-time window opens at its time and closes by itself",
	Broken:   "access does not keep to the times of its just-in-time window",
	Why:      "who is let in from Saturday at eight is in on Friday, or is in still on Monday: outside the window nobody watches",
	Fix:      "compare begin and end of the window with the clock at each token request, and bound the life of tokens by its end",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.NHI(7), frameworks.ASVS("8.3.2"), frameworks.Tenet(3), frameworks.SP80053("AC-3(8)")},
	Rows:     []string{"L-JI-01", "L-JI-02", "L-JI-03"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Window, check.Hook(plan.ScheduleWindow)},
	Takes:    check.Disable,
	Waits:    func(l plan.Limits) time.Duration { return 2*(lead+l.ClockSkew.D()) + l.Window.D() },
	Promise:  func(*plan.Point) string { return "limits.window" },
	Twin:     defect.Set{WindowStartIgnored: true},
	Also:     []defect.Set{{ExpiryIgnored: true}, {WindowEndIgnored: true}, {WindowIgnored: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		login := p.AtToken(partner, partner.Usual())
		skew, clock := p.Limits.ClockSkew.D(), partner.Server.Clock
		begin := time.Now().Add(lead + skew)
		end := begin.Add(lead + skew)
		schedule := func(ctx context.Context, from, until time.Time) error {
			_, err := p.Hook(ctx, plan.ScheduleWindow, partner, map[string]string{
				"from": from.Add(clock).UTC().Format(time.RFC3339Nano), "until": until.Add(clock).UTC().Format(time.RFC3339Nano),
			})
			return err
		}
		around := func(ctx context.Context) error {
			return schedule(ctx, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		}
		if !partner.Own {
			defer func() {
				partner.ForgetTokens()
				open := around // good for an hour, where nobody can open one without an end
				if _, known := p.Stack.Plan.Hooks[plan.OpenWindow]; known {
					open = func(ctx context.Context) error {
						_, err := p.Hook(ctx, plan.OpenWindow, partner, nil)
						return err
					}
				}
				err := open(context.WithoutCancel(ctx))
				if err != nil {
					p.Note("the window of the given partner could not be opened again, so it may be locked out: %v", err)
				}
			}()
		}
		err = schedule(ctx, begin, end)
		if err != nil {
			return err
		}
		_, early, err := p.Becomes(ctx, login, wire.Denied, lead/2) // what it had before may end a moment later
		if err != nil {
			return err
		}
		err = p.Wait(ctx, time.Until(begin))
		if err != nil {
			return err
		}
		_, inside, err := p.Becomes(ctx, login, wire.Accepted, time.Until(end)-lead/2)
		if err != nil {
			return err
		}
		if inside.Decision != wire.Accepted {
			return check.CannotTell("inside the window no token was issued (%s), so the refusals around it say nothing; look at the clock of %s", inside.Why, p.Name)
		}
		old, err := p.HomeCall(ctx, partner)
		if err != nil {
			return err
		}
		err = p.Wait(ctx, time.Until(end)+p.Limits.Window.D())
		if err != nil {
			return err
		}
		_, late, err := p.Do(ctx, wire.Altered, login)
		if err != nil {
			return err
		}
		told := []window{{"before it opens", "no token", early}, {"after its end", "no token", late}}
		if old != nil {
			_, dead, err := p.Do(ctx, wire.Altered, *old)
			if err != nil {
				return err
			}
			told = append(told, window{"its token after its end", "refused at " + old.Point.Name, dead})
		}
		err = around(ctx)
		if err == nil {
			err = p.Opens(ctx, login)
		}
		if err != nil {
			return err
		}
		for _, each := range told {
			each.tell(p)
		}
		return nil
	},
}

// lead is how far ahead a window is announced, and how long it is, beside the skew of clocks.
const lead = time.Second

// window is what was answered at one time of a window.
type window struct {
	when, expected string
	answer         check.Answer
}

func (w window) tell(p *check.Pass) {
	switch w.answer.Decision {
	case wire.Accepted:
		p.Case(w.when, logbook.Fail, w.expected, w.answer.Why, "the time alone", "")
	case wire.Unknown:
		p.Case(w.when, logbook.Inconclusive, w.expected, "", "the time alone", w.when+" could not be decided: "+w.answer.Why)
	default:
		p.Case(w.when, logbook.Pass, w.expected, w.answer.Why, "the time alone", "")
	}
}
