package check

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Registered is what came of a registration. The member is a client only if it was accepted.
type Registered struct {
	Member   *cast.Member
	Exchange wire.Exchange
	Decision wire.Decision
	Why      string
}

// Told gives a text of the registered metadata, and whether the answer holds it (RFC 7591 §3.2.1: it returns all
// registered metadata).
func (r Registered) Told(member string) (string, bool) {
	text, ok := r.Member.Client().Registered[member].(string)
	return text, ok
}

// Register registers a new client of a role by a wish. What comes of it is in the ledger and removed at the end.
func (p *Pass) Register(ctx context.Context, purpose wire.Purpose, role string, wish cast.Wish) (Registered, error) {
	return p.RegisterAltered(ctx, purpose, role, wish, func(r wire.Request) (wire.Request, error) { return r, nil })
}

// RegisterAltered does the same with a request that was altered before it is sent, body and all. Whatever comes of it is
// the draft's.
func (p *Pass) RegisterAltered(ctx context.Context, purpose wire.Purpose, role string, wish cast.Wish, alter func(wire.Request) (wire.Request, error)) (Registered, error) {
	draft, err := p.Cast.Draft(ctx, role, wish)
	if err != nil {
		return Registered{}, err
	}
	if draft.Server.Endpoints.Registration == "" {
		return Registered{}, NotApplicable("%s has no registration endpoint", draft.Server.Name)
	}
	request, err := p.Cast.RegistrationRequest(draft)
	if err != nil {
		return Registered{}, err
	}
	request, err = alter(request)
	if err != nil {
		return Registered{}, Broken("a registration could not be altered: %v", err)
	}
	return p.registered(ctx, purpose, draft, request)
}

// registered sends the registration of a client that is drafted, and keeps what comes of it.
func (p *Pass) registered(ctx context.Context, purpose wire.Purpose, draft *cast.Member, request wire.Request) (Registered, error) {
	request.Unrecorded = true // it is recorded with what it says
	x, err := p.through(ctx, purpose, request, func(ctx context.Context, r wire.Request) (wire.Exchange, error) {
		return p.Cast.Register(ctx, draft, r)
	})
	if err != nil {
		return Registered{}, err
	}
	decision, why := oauth.RegistrationDecision(x)
	p.Stack.Keep(x, decision.String())
	return Registered{Member: draft, Exchange: x, Decision: decision, Why: why}, nil
}

// RegistrationOpens shows that a registration as the plan describes it is accepted now: the control behind one that was
// refused.
func (p *Pass) RegistrationOpens(ctx context.Context, role string) error {
	good, err := p.Register(ctx, wire.Control, role, cast.Wish{})
	if err != nil {
		return err
	}
	if good.Decision != wire.Accepted {
		return CannotTell("the control, a registration as the plan describes it, was not accepted: %s", good.Why)
	}
	return nil
}

// AtRegistration is the registration of a new client of a role, another one each time, as a call: what comes of it is in
// the ledger and removed at the end. A change may alter all but the body, which says whom the request is about.
func (p *Pass) AtRegistration(ctx context.Context, role string, wish cast.Wish) Call {
	drafts := map[string]*cast.Member{}
	call := p.asked("registration", nil, oauth.RegistrationDecision, nil)
	call.Make = func() (wire.Request, error) {
		draft, err := p.Cast.Draft(ctx, role, wish)
		if err != nil {
			return wire.Request{}, err
		}
		request, err := p.Cast.RegistrationRequest(draft)
		if err != nil {
			return wire.Request{}, err
		}
		drafts[string(request.Body)] = draft
		return request, nil
	}
	call.Send = func(ctx context.Context, request wire.Request) (wire.Exchange, error) {
		draft, known := drafts[string(request.Body)]
		if !known {
			return wire.Exchange{}, Broken("the body of a registration was altered, so that nobody knows whom it would create")
		}
		return p.Cast.Register(ctx, draft, request)
	}
	return call
}

// RegisterRaw sends a registration of a role with another body than the plan describes. What comes of it, though it should
// be nothing, is in the ledger and removed at the end.
func (p *Pass) RegisterRaw(ctx context.Context, role string, body []byte) (wire.Exchange, error) {
	draft, err := p.Cast.Draft(ctx, role, cast.Wish{})
	if err != nil {
		return wire.Exchange{}, err
	}
	if draft.Server.Endpoints.Registration == "" {
		return wire.Exchange{}, NotApplicable("%s has no registration endpoint", draft.Server.Name)
	}
	request, err := p.Cast.RegistrationRequest(draft)
	if err != nil {
		return wire.Exchange{}, err
	}
	request.Body = body
	request.Credentials = slices.DeleteFunc(request.Credentials, func(c wire.Credential) bool { return c.In == wire.InJSON || c.In == wire.InForm }) // what stood in the other body
	return p.through(ctx, wire.Probe, request, func(ctx context.Context, r wire.Request) (wire.Exchange, error) {
		return p.Cast.Register(ctx, draft, r)
	})
}
