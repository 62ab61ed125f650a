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

// ThiefIsLockedOut plays the thief who holds copies of the partner's tokens, of the keys that they are bound to and of
// its credential. The alarm is raised: the operator suspends the client. The copies die at the point within its limit,
// and the credential brings no new token. Another partner lives on.
//
// RFC 7592 §2.3 says so of deletion alone, and only SHOULD; for a suspension the plan's limits are what was agreed.
var ThiefIsLockedOut = &check.Check{
	ID:       "compromise.thief-is-locked-out",
	Title:    "once a client is suspended, copies of its tokens and of its credential open nothing",
	Broken:   "once a client is suspended, copies of its tokens or of its credential still open something",
	Why:      "the alarm stops nobody within the limits in the plan: whoever copied a token or a credential goes on until it expires",
	Fix:      "let the suspension end the client's tokens, tell the points of it, and refuse its token requests",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.NHI(1), frameworks.CSF("RS.MI-01"), frameworks.ASVS("8.3.2"), frameworks.SP800207("5.3"), frameworks.SP80053("AC-2(13)"), frameworks.SP80053("AC-3(8)"), frameworks.NHI(3)},
	Rows:     []string{"L-OF-04", "L-OF-09", "A-RV-05"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Hook(plan.Suspend)},
	Takes:    check.Disable,
	Waits:    func(l plan.Limits) time.Duration { return l.Revocation.Longest() + l.Patience.D() },
	Promise:  check.RevocationPromise,
	Twin:     defect.Set{SuspendKeepsTokens: true},
	Also:     []defect.Set{{TokenCache: 6 * time.Second}, {FeedStopped: true}, {SuspendIgnored: true}},
	Follows:  []string{"revoke.token-outlives-revocation", "offboard.suspended-client"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		login := p.Login(partner)
		err = p.Opens(ctx, login)
		if err != nil {
			return err
		}
		limit, promise := p.Limits.Revocation.For(p.Point.Revocation)
		var alarm wire.Exchange
		suspend := func(ctx context.Context) (wire.Exchange, error) {
			x, err := p.Hook(ctx, plan.Suspend, partner, nil)
			alarm = x
			return x, err
		}
		err = p.WithdrawnWithin(ctx, partner, check.Withdrawal{What: "copied token", Limit: limit, Promise: promise, All: suspend})
		if err == nil && alarm.Received.IsZero() { // a point that waits for expiry is not told, the server is
			_, err = suspend(ctx)
		}
		if !partner.Own && p.Cast.HasHook(plan.Resume) {
			defer func() { _, _ = p.Resume(ctx, partner) }() // a given client is given back as it was
		}
		if err != nil {
			return err
		}
		barred := p.Limits.NewTokensAfterDisable.D()
		err = p.Wait(ctx, time.Until(alarm.Received.Add(barred)))
		if err != nil {
			return err
		}
		_, answer, err := p.Do(ctx, wire.Altered, login)
		if err != nil {
			return err
		}
		if answer.Decision == wire.Unknown {
			return check.CannotTell("the token request of the suspended client could not be decided: %s", answer.Why)
		}
		p.Holds("the copied credential brings no new token "+barred.String()+" after the alarm", answer.Decision != wire.Accepted, answer.Why)
		return nil
	},
}
