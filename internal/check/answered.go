package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/wire"
)

// Answered gives how a call is answered with one change, between two calls without it that are accepted (rule 1), and in
// what the two differ. It asserts nothing. Where the calls around it are not accepted, three times, nothing can be said.
func (p *Pass) Answered(ctx context.Context, control Call, change wire.Change) (Answer, string, error) {
	for attempt := 1; ; attempt++ {
		found, err := p.try(ctx, control, nil, change, false)
		if err != nil {
			return Answer{}, "", err
		}
		undecided := found.answer.Decision == wire.Unknown && !found.answer.Foreign && !found.answer.Cached
		switch {
		case found.answer.Decision == wire.Accepted, found.controlled && !undecided:
			return found.answer, found.differs, nil
		case (attempt == 3 || p.Stack.Rules.NoRepeat) && found.controlled:
			return found.answer, found.differs, nil
		case attempt == 3 || p.Stack.Rules.NoRepeat:
			return Answer{Why: "the control failed three times: " + found.control.Why}, found.differs, nil
		}
		control = control.Fresh()
		err = p.Wait(ctx, time.Duration(attempt)*300*time.Millisecond)
		if err != nil {
			return Answer{}, "", err
		}
	}
}
