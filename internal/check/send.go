package check

import (
	"context"
	"net/http"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Send sends a request on behalf of the check and keeps it as evidence.
func (p *Pass) Send(ctx context.Context, purpose wire.Purpose, request wire.Request) (wire.Exchange, error) {
	return p.through(ctx, purpose, request, p.Stack.Do.Do)
}

func (p *Pass) through(ctx context.Context, purpose wire.Purpose, request wire.Request, do func(context.Context, wire.Request) (wire.Exchange, error)) (wire.Exchange, error) {
	request.Check, request.Purpose = p.Check.ID, purpose
	if request.Point == "" {
		request.Point = p.Name
	}
	if p.Stack.Rules.KeptLines {
		request.Over.Fresh = false
	}
	x, err := do(ctx, request)
	if err == nil {
		p.witness(x)
	}
	return x, err
}

// Do makes a call once and understands the answer.
func (p *Pass) Do(ctx context.Context, purpose wire.Purpose, call Call) (wire.Exchange, Answer, error) {
	if call.Turn != nil {
		end, err := call.Turn(ctx)
		if err != nil {
			return wire.Exchange{}, Answer{}, err
		}
		defer end()
	}
	request, err := call.Make()
	if err != nil {
		return wire.Exchange{}, Answer{}, err
	}
	return p.send(ctx, purpose, call, request)
}

// send sends a request of a call. What dies with a connection that has been used before says nothing: the server may have
// been about to close it, or may refuse in this way. So it is sent again over a fresh one, as an exchange of its own.
func (p *Pass) send(ctx context.Context, purpose wire.Purpose, call Call, request wire.Request) (wire.Exchange, Answer, error) {
	x, answer, err := p.sendOnce(ctx, purpose, call, request)
	if err != nil || x.Failure != wire.Reset || x.Fresh || call.Send != nil || p.Stack.Rules.KeptLines {
		return x, answer, err
	}
	request.Over.Fresh = true
	return p.sendOnce(ctx, purpose, call, request)
}

// sendOnce is for what must not be sent twice.
func (p *Pass) sendOnce(ctx context.Context, purpose wire.Purpose, call Call, request wire.Request) (wire.Exchange, Answer, error) {
	request.Unrecorded = true // it is recorded with what it says
	err := p.mayFail(purpose, call)
	if err != nil {
		return wire.Exchange{}, Answer{}, err
	}
	x, err := p.through(ctx, purpose, request, call.sender(p))
	if err != nil {
		return x, Answer{}, err
	}
	answer := call.Decide(ctx, x)
	p.failed(call, x)
	if answer.Decision == wire.Accepted && call.Point != nil && call.Member != nil && call.Member.Role == cast.Partner && purpose == wire.Control {
		p.Stack.called(x.Received)
	}
	p.Stack.Keep(x, answer.Decision.String())
	return x, answer, nil
}

func (c Call) sender(p *Pass) func(context.Context, wire.Request) (wire.Exchange, error) {
	if c.Send != nil {
		return c.Send
	}
	return p.Stack.Do.Do
}

// mayFail holds the budget of failed authentications: what is sent to be refused at an authorization server may lock the
// client out.
func (p *Pass) mayFail(purpose wire.Purpose, call Call) error {
	if call.Point != nil || call.Member == nil || purpose != wire.Altered && purpose != wire.Probe {
		return nil
	}
	return p.Cast.MayFail(call.Member)
}

func (p *Pass) failed(call Call, x wire.Exchange) {
	if call.Point != nil || call.Member == nil {
		return
	}
	refusal := oauth.ReadError(x)
	if x.Status == http.StatusUnauthorized || refusal != nil && refusal.Code == "invalid_client" {
		p.Cast.Failed(call.Member)
	}
}

// witness keeps an exchange that the cast sent as evidence. What a command did has no serial.
func (p *Pass) witness(x wire.Exchange) {
	if x.Serial > 0 {
		p.mu.Lock()
		p.observation.Exchanges = append(p.observation.Exchanges, x.Serial)
		p.mu.Unlock()
	}
}
