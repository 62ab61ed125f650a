package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Outage is what a rotation must not be, whatever becomes of the old credential.
var Outage = &logbook.Breach{
	Broken:   "after a rotation, what was got by the new credential is refused",
	Why:      "the partner is cut off by its own rotation, so rotations are put off, and what leaked stays good",
	Fix:      "let every gateway learn of the change when the authorization server does, or decide by the token alone; look for copies of keys and certificates, and for caches",
	Severity: logbook.Medium,
}

// A Restore asserts that a rotation was no outage; see [Pass.Service].
type Restore func(ctx context.Context, rotation wire.Exchange, what string) error

// Service looks which points a member's tokens open before a rotation. What it gives asserts, a case for each of them,
// that after the rotation a token which the new credential got is accepted there within limits.settle, and tells how soon
// that was. What names the credential: the new secret. Points that were shut before are left out, with a note.
// Where the check's title promises something else, it names [Outage] among its promises.
func (p *Pass) Service(ctx context.Context, member *cast.Member) (Restore, error) {
	var open []*plan.Point
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		if p.Cast.TokenServer(point) != member.Server.Name || !point.TakesTokens() {
			continue
		}
		token, err := member.NewToken(ctx, point)
		if err != nil {
			return nil, err
		}
		_, answer, err := p.Do(ctx, wire.Probe, p.CallAt(point, p.Allowed(point), member, token))
		if err != nil {
			return nil, err
		}
		if answer.Decision != wire.Accepted {
			p.Note("%s does not let this client in before the rotation (%s), so how soon it does afterwards is not told", point.Name, answer.Why)
			continue
		}
		open = append(open, point)
	}
	return func(ctx context.Context, rotation wire.Exchange, what string) error {
		if slices.Contains(p.Check.Besides, Outage) {
			defer p.Besides(Outage)()
		}
		for _, point := range open {
			err := p.restored(ctx, member, point, rotation, what)
			if err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (p *Pass) restored(ctx context.Context, member *cast.Member, point *plan.Point, rotation wire.Exchange, what string) error {
	limit := p.Limits.Settle.D()
	name := fmt.Sprintf("a token got by %s opens %s within %v", what, point.Name, limit)
	token, err := member.NewToken(ctx, point)
	if err != nil {
		return err
	}
	_, answer, err := p.Becomes(ctx, p.CallAt(point, p.Allowed(point), member, token), wire.Accepted, limit)
	if err != nil {
		return err
	}
	switch answer.Decision {
	case wire.Accepted:
		p.Case(name, logbook.Pass, "accepted", fmt.Sprintf("accepted %v after the rotation", time.Since(rotation.Received).Round(time.Millisecond)), "", "")
		p.Opening(what, point.Name, time.Since(rotation.Received), answer.Decision, limit)
	case wire.Unknown:
		p.Case(name, logbook.Inconclusive, "accepted", answer.Why, "", name+" could not be decided: "+answer.Why)
	default:
		p.Case(name, logbook.Fail, "accepted", answer.Why, "", "")
		p.Where(point.Name)
		p.Opening(what, point.Name, time.Since(rotation.Received), answer.Decision, limit)
	}
	return nil
}

// Opening keeps how long after a rotation a place first accepted the new credential, or how long it had refused it when
// the time was up. It asserts nothing.
func (p *Pass) Opening(what, place string, after time.Duration, decision wire.Decision, limit time.Duration) {
	p.observation.Openings = append(p.observation.Openings, logbook.Opening{What: what, At: place, After: after, Never: decision != wire.Accepted, Limit: limit})
}
