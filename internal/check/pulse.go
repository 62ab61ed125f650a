package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Pulse tells whether a token lives, and how that was seen.
type Pulse func(ctx context.Context) (bool, string, error)

// IntrospectedPulse is the pulse of a live token by the server's introspection; nil where the ride may not use it, or
// where it does not call the token active.
func (p *Pass) IntrospectedPulse(ctx context.Context, token oauth.Token) (Pulse, error) {
	by, err := p.Asker(ctx)
	if err != nil || by == nil {
		return nil, err
	}
	call := p.AtIntrospection(by, token.Text)
	_, answer, err := p.Do(ctx, wire.Control, call)
	if err != nil || answer.Decision != wire.Accepted {
		return nil, err
	}
	return p.pulse(call), nil
}

func (p *Pass) pulse(call Call) Pulse {
	return func(ctx context.Context) (bool, string, error) {
		_, answer, err := p.Do(ctx, wire.Probe, call)
		if err != nil {
			return false, "", err
		}
		if answer.Decision == wire.Unknown {
			return false, "", CannotTell("whether the token lives could not be decided: %s: %s", call.Name, answer.Why)
		}
		return answer.Decision == wire.Accepted, call.Name + ": " + answer.Why, nil
	}
}

// Dies tells whether a token is seen to die within the plan's time for settling (rule 13), and how that was seen.
func (p *Pass) Dies(ctx context.Context, pulse Pulse) (bool, string, error) {
	until := time.Now().Add(p.Limits.Settle.D())
	for {
		lives, seen, err := pulse(ctx)
		if err != nil || !lives || time.Now().After(until) {
			return !lives, seen, err
		}
		err = p.Wait(ctx, 200*time.Millisecond)
		if err != nil {
			return false, "", err
		}
	}
}

// SeenToDie gives a way to tell whether tokens of a member die, by the best witness that the stack has: introspection,
// else a point that learns of revocations. It is shown with a live token that the witness calls it alive. How it was
// seen is told with it.
func (p *Pass) SeenToDie(ctx context.Context, member *cast.Member, live oauth.Token) (func(ctx context.Context, token oauth.Token) (bool, string, error), error) {
	w, err := p.witnessOf(ctx, member, live)
	if err != nil {
		return nil, err
	}
	err = p.Opens(ctx, w.ask(live))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, token oauth.Token) (bool, string, error) {
		call := w.ask(token)
		_, answer, err := p.Becomes(ctx, call, wire.Denied, w.within)
		if err != nil {
			return false, "", err
		}
		if answer.Decision == wire.Unknown {
			return false, "", CannotTell("whether the token lives could not be decided: %s: %s", call.Name, answer.Why)
		}
		return decidedAs(answer, wire.Denied), call.Name + ": " + answer.Why, nil
	}, nil
}
