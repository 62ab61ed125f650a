package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/wire"
)

// Opened gives the partner's token for the pass's point and a call that was just accepted with it.
func (p *Pass) Opened(ctx context.Context) (Call, error) {
	partner, err := p.Partner(ctx)
	if err != nil {
		return Call{}, err
	}
	token, err := partner.Token(ctx, p.Point)
	if err != nil {
		return Call{}, err
	}
	call := p.Call(partner, token)
	return call, p.Opens(ctx, call)
}

// Opens shows that the door opens: the call is accepted now. A control that fails is tried again, three times at most;
// then nothing can be said (rule 15).
func (p *Pass) Opens(ctx context.Context, call Call) error {
	last, err := p.patiently(ctx, call)
	switch {
	case err != nil:
		return err
	case last.Decision == wire.Accepted:
		return nil
	case last.Cached:
		return BecauseOf("enforce.shared-cache", "the control %s was answered by a cache", call.Name)
	}
	return CannotTell("the control %s was not accepted: %s", call.Name, last.Why)
}

// patiently makes a call until it is accepted, three times at most, and gives the last answer.
func (p *Pass) patiently(ctx context.Context, call Call) (Answer, error) {
	for attempt := 1; ; attempt++ {
		_, answer, err := p.Do(ctx, wire.Control, call)
		if err != nil || answer.Decision == wire.Accepted || attempt == 3 || p.Stack.Rules.NoRepeat {
			return answer, err
		}
		err = p.Wait(ctx, time.Duration(attempt)*200*time.Millisecond)
		if err != nil {
			return answer, err
		}
	}
}

// Accepts asserts that a call is accepted, as a promise of the check and not as its control.
func (p *Pass) Accepts(ctx context.Context, call Call, expected string) (bool, error) {
	last, err := p.patiently(ctx, call)
	if err != nil {
		return false, err
	}
	if last.Decision == wire.Unknown || last.Decision == wire.Odd { // a server in trouble has not decided
		return false, CannotTell("%s could not be decided: %s", call.Name, last.Why)
	}
	return p.Holds(expected, last.Decision == wire.Accepted, last.Why), nil
}
