package check

import (
	"context"

	"github.com/checkride/checkride/internal/wire"
)

// Dead asserts that credentials whose trust has ended are refused now, a case for each: at every node, between two
// accepted calls of alive, which differs in that its trust stands (rule 3). A nil alive has no such controls. Of a call
// whose credentials nobody has seen to be good ([Call.Unseen]) acceptance is a finding, and refusal decides nothing.
func (p *Pass) Dead(ctx context.Context, alive *Call, gone ...Call) error {
	if alive != nil && len(gone) > 0 {
		err := p.Opens(ctx, *alive)
		if err != nil {
			return err
		}
	}
	for _, call := range gone {
		err := p.dead(ctx, call)
		if err != nil {
			return err
		}
	}
	if alive != nil && len(gone) > 0 {
		return p.Opens(ctx, *alive)
	}
	return nil
}

func (p *Pass) dead(ctx context.Context, call Call) error {
	unchanged := wire.Change{Name: call.Name, Apply: func(r wire.Request) (wire.Request, error) { return r, nil }}
	before := len(p.observation.Exchanges)
	worst := tasted{unseen: call.Unseen}
	for i, node := range p.nodes(call.Point) {
		at := call.pinned(node)
		request, err := at.Make()
		if err != nil {
			return err
		}
		var found tasted
		err = p.bite(ctx, at, unchanged, request, &found)
		if err != nil {
			return err
		}
		if i == 0 || found.accepted > 0 || worst.accepted == 0 && found.answer.Decision == wire.Unknown {
			found.unseen = call.Unseen
			worst = found
		}
	}
	p.record(call.Name, worst, before)
	switch {
	case call.Point != nil:
		p.Where(call.Point.Name)
	case call.Member != nil:
		p.Where(call.Member.Server.Name)
	}
	return nil
}
