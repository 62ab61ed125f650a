package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// RefusesUnseen asserts that a change is refused although the point has never seen the token: a point that remembers
// what it once decided about a token answers from memory otherwise. The control before is made with another token of
// the same client, the one after with this very token: C(t1) accepted, N(t2), C(t2) accepted. The altered request is
// compared with the last. Elsewhere, if given, shows that what is wrong here is right there (rule 2).
func (p *Pass) RefusesUnseen(ctx context.Context, control Call, elsewhere *Call, change wire.Change) error {
	err := p.guarded(ctx, control)
	if err != nil {
		return err
	}
	for _, node := range p.nodes(control.Point) {
		at := func(c Call) Call { return c.pinned(node) }
		err = p.unseen(ctx, nodeName(change.Name, node), at, control, elsewhere, change)
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Pass) unseen(ctx context.Context, name string, at func(Call) Call, control Call, elsewhere *Call, change wire.Change) error {
	before := len(p.observation.Exchanges)
	var found tasted
	for attempt := range 3 {
		if attempt > 0 {
			err := p.Wait(ctx, time.Duration(attempt)*300*time.Millisecond)
			if err != nil {
				return err
			}
		}
		var err error
		found, err = p.tryUnseen(ctx, at, control, elsewhere, change)
		if err != nil {
			return err
		}
		if found.controlled || found.answer.Decision == wire.Accepted {
			p.record(name, found, before)
			return nil
		}
	}
	p.Case(name, logbook.Inconclusive, "refused", "", found.differs, "the control failed three times: "+found.control.Why)
	return nil
}

func (p *Pass) tryUnseen(ctx context.Context, at func(Call) Call, control Call, elsewhere *Call, change wire.Change) (tasted, error) {
	var found tasted
	fresh, err := p.Unseen(ctx, control)
	if err != nil {
		return found, err
	}
	fresh, control = at(fresh), at(control)
	err = p.goodElsewhere(ctx, elsewhere)
	if err != nil {
		return found, err
	}
	altered, err := p.proven(fresh, elsewhere, change, &found)
	if err != nil {
		return found, err
	}
	err = p.between(ctx, &control, fresh, change, altered, &found)
	return found, err
}

// Unseen gives a call with a token that nobody has used yet. Where the server gives the same token again there is none:
// a note says so, and the call is as it was.
func (p *Pass) Unseen(ctx context.Context, call Call) (Call, error) {
	token, err := call.Member.NewToken(ctx, call.Point)
	if err != nil {
		return call, err
	}
	if token.Text == call.Token.Text {
		p.Note("the server gives the same token again, so the point may have seen it before")
		return call, nil
	}
	return call.as(call.Member, token), nil
}
