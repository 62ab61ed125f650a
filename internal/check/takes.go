package check

import (
	"context"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// Changed gives the call with a change made to each of its requests.
func (c Call) Changed(change wire.Change) Call {
	inner := c.Make
	c.Name += ", " + change.Name
	c.Make = func() (wire.Request, error) {
		request, err := inner()
		if err != nil {
			return request, err
		}
		request, err = change.Apply(request.Clone())
		if err != nil {
			return request, Broken("the change %q could not be made: %v", change.Name, err)
		}
		return request, nil
	}
	return c
}

// TakesAll asserts that each lawful change of an accepted call is accepted too.
func (p *Pass) TakesAll(ctx context.Context, call Call, changes ...wire.Change) error {
	for _, change := range changes {
		var found tasted
		_, _, err := p.alter(call, change, &found)
		if err != nil {
			return err
		}
		if found.differs == "" && !p.Stack.Rules.NoDifference {
			return Broken("the change %q changed nothing: the altered request is the control", change.Name)
		}
		answer, err := p.patiently(ctx, call.Changed(change))
		if err != nil {
			return err
		}
		switch answer.Decision {
		case wire.Accepted:
			p.Case(change.Name, logbook.Pass, "accepted", answer.Why, found.differs, "")
		case wire.Denied, wire.Odd:
			err = p.Opens(ctx, call) // else it was not this that was refused
			if err != nil {
				return err
			}
			p.Case(change.Name, logbook.Fail, "accepted", answer.Why, found.differs, "")
		default:
			p.Case(change.Name, logbook.Inconclusive, "accepted", answer.Why, found.differs, answer.Why)
		}
	}
	return nil
}
