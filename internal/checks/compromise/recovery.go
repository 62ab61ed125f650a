package compromise

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

// Recovery lets the partner in again after the alarm: new tokens work soon, which is told, and those from before stay
// dead, since copies of them are in a thief's hands. It looks again after the point's limit, when what the point
// remembered of the dead token is forgotten. That the alarm ends the token in time is another check's promise: here one
// that is late is waited for.
//
// CSF 2.0 RC.RP-05: the integrity of restored assets is verified. No RFC speaks of suspension.
var Recovery = &check.Check{
	ID:       "compromise.recovery",
	Title:    "after a suspended client is let in again its new tokens work and its old ones stay dead",
	Broken:   "once a suspended client is let in again, its old tokens open too, or its new ones do not",
	Why:      "we ask that what the alarm took stays taken: else the end of the incident gives it back to the thief",
	Fix:      "end the tokens of a suspended client for good instead of asking for its state; nothing that was dead may come back",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.CSF("RC.RP-05"), frameworks.CSF("RS.MI-02"), frameworks.NHI(1), frameworks.SP80053("IR-4"), frameworks.SP80053("AC-3(8)"), frameworks.NHI(3)},
	Rows:     []string{"L-OF-10"},
	Severity: logbook.High,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Hook(plan.Suspend), check.Hook(plan.Resume)},
	Takes:    check.Disable,
	Waits:    func(l plan.Limits) time.Duration { return l.Revocation.Longest() + l.Patience.D() },
	Twin:     defect.Set{ResumeRevives: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		if p.Point.Revocation == "expiry" {
			return check.NotApplicable("tokens die at this point by expiry alone (points.revocation), so none can come back")
		}
		limit, _ := p.Limits.Revocation.For(p.Point.Revocation)
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		old, err := p.Mint(partner)(ctx)
		if err != nil {
			return err
		}
		err = p.Opens(ctx, old)
		if err != nil {
			return err
		}
		if need := 2*limit + p.Limits.ClockSkew.D(); !old.Token.Expires.IsZero() && time.Until(old.Token.Expires) < need {
			return check.CannotTell("the token lives %v, shorter than the drill (%v): its death would prove nothing", time.Until(old.Token.Expires).Round(100*time.Millisecond), need)
		}
		_, err = p.Hook(ctx, plan.Suspend, partner, nil)
		if err != nil {
			return err
		}
		patience := p.Limits.Patience.D()
		if !old.Token.Expires.IsZero() { // what is left of its life must last for the rest of the drill
			patience = min(patience, max(0, time.Until(old.Token.Expires)-2*limit-2*p.Limits.ClockSkew.D()))
		}
		_, answer, err := p.Becomes(ctx, old, wire.Denied, limit+patience)
		resumed, failed := p.Resume(ctx, partner)
		if err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		if answer.Decision != wire.Denied && answer.Decision != wire.Odd {
			return check.BecauseOf("compromise.thief-is-locked-out", "the suspension did not end the token within %v: %s", limit+patience, answer.Why)
		}
		_, answer, err = p.Becomes(ctx, p.Login(partner), wire.Accepted, p.Limits.Settle.D())
		if err != nil {
			return err
		}
		if !p.Holds("the client gets new tokens within "+p.Limits.Settle.String()+" after it was let in again", answer.Decision == wire.Accepted, answer.Why) {
			return nil
		}
		renewed, err := p.Mint(partner)(ctx)
		if err != nil {
			return err
		}
		open, err := p.Accepts(ctx, renewed, "the new token is accepted")
		if err != nil || !open {
			return err
		}
		p.Note("service was back %v after the client was let in again", time.Since(resumed.Received).Round(10*time.Millisecond))
		for _, again := range []struct {
			name string
			wait time.Duration
		}{{"the token from before the suspension, at once", 0}, {"the token from before the suspension, after the limit", limit}} {
			err = p.Wait(ctx, again.wait)
			if err != nil {
				return err
			}
			if !old.Token.Expires.IsZero() && time.Until(old.Token.Expires) < p.Limits.ClockSkew.D() {
				return check.CannotTell("the drill took so long that the token from before it has expired: its death would prove nothing")
			}
			old.Name = again.name
			err = p.Dead(ctx, &renewed, old.Fresh())
			if err != nil {
				return err
			}
		}
		return nil
	},
}
