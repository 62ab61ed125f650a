package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// KeepsIdentity asserts that no change moves the identity that the API sees: each altered call is refused, or accepted
// as the very identity of its control. Acceptance as somebody else is the finding.
func (p *Pass) KeepsIdentity(ctx context.Context, control Call, changes ...wire.Change) error {
	err := p.guarded(ctx, control)
	if err != nil {
		return err
	}
	for _, node := range p.nodes(control.Point) {
		at := control.pinned(node)
		_, before, err := p.Do(ctx, wire.Control, at)
		if err != nil {
			return err
		}
		if before.Decision != wire.Accepted {
			return CannotTell("the control %s was not accepted: %s", control.Name, before.Why)
		}
		if before.Identity == "" {
			return CannotTell("the answer does not tell who was seen; name the place under operations.identity_at")
		}
		for _, change := range changes {
			err = p.keepsIdentity(ctx, at, change, node, before.Identity)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pass) keepsIdentity(ctx context.Context, control Call, change wire.Change, node, identity string) error {
	for attempt := 1; ; attempt++ {
		var found tasted
		_, altered, err := p.alter(control, change, &found)
		if err != nil {
			return err
		}
		if found.differs == "" {
			return Broken("the change %q changed nothing: the altered request is the control", change.Name)
		}
		_, answer, err := p.send(ctx, wire.Altered, control, altered)
		if err != nil {
			return err
		}
		_, after, err := p.Do(ctx, wire.Control, control)
		if err != nil {
			return err
		}
		controlled := after.Decision == wire.Accepted && after.Identity == identity
		undecided := answer.Thrice || answer.Decision == wire.Unknown && !answer.Foreign && !answer.Cached
		if attempt == 3 || p.Stack.Rules.NoRepeat || controlled && !undecided || answer.Decision == wire.Accepted {
			p.tellIdentity(nodeName(change.Name, node), identity, found.differs, answer, after)
			return nil
		}
		control = control.Fresh()
		err = p.Wait(ctx, time.Duration(attempt)*300*time.Millisecond)
		if err != nil {
			return err
		}
	}
}

func (p *Pass) tellIdentity(name, identity, differs string, answer, after Answer) {
	expected := "refused, or seen as " + identity
	switch {
	case answer.Decision == wire.Accepted && answer.Strong && answer.Identity != "" && answer.Identity != identity: // whatever became of the control
		p.Case(name, logbook.Fail, expected, "accepted as "+answer.Identity, differs, "")
	case after.Decision != wire.Accepted || after.Identity != identity:
		p.Case(name, logbook.Inconclusive, expected, "", differs, "the control after it was not accepted as before: "+after.Why)
	case (answer.Decision == wire.Denied || answer.Decision == wire.Odd) && !answer.Thrice:
		p.Case(name, logbook.Pass, expected, answer.Why, differs, "")
	case answer.Decision != wire.Accepted:
		p.Case(name, logbook.Inconclusive, expected, "", differs, answer.Why)
	case answer.Identity == identity:
		p.Case(name, logbook.Pass, expected, "accepted as "+answer.Identity, differs, "")
	case answer.Identity == "":
		p.Case(name, logbook.Inconclusive, expected, "", differs, "accepted ("+answer.Why+"), and the answer does not tell as whom")
	default:
		p.Case(name, logbook.Fail, expected, "accepted as "+answer.Identity, differs, "")
	}
}
