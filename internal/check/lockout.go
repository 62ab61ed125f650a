package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// LockoutWithin asserts that all tokens of a member are refused at the pass's point within its limit for revocation once
// the member is shut out as a whole. No sibling lives on; somebody else does. A point that is declared `revocation:
// expiry` promises no more than the tokens' own end. It gives the exchange that shut the member out.
func (p *Pass) LockoutWithin(ctx context.Context, what string, member *cast.Member, shut func(context.Context) (wire.Exchange, error)) (wire.Exchange, error) {
	limit, promise := p.Limits.Revocation.For(p.Point.Revocation)
	if p.Point.Revocation == "expiry" {
		err := p.diesByExpiry(ctx, member, limit, promise)
		if err != nil {
			return wire.Exchange{}, err
		}
		return shut(ctx)
	}
	alive, err := p.SomebodyElse(ctx)
	if err != nil {
		return wire.Exchange{}, err
	}
	var done wire.Exchange
	err = p.RefusedWithin(ctx, Withdrawal{
		What: what, Limit: limit, Promise: promise, Mint: p.Mint(member), Alive: alive, Expires: TokenExpires,
		All: func(ctx context.Context) (wire.Exchange, error) {
			done, err = shut(ctx)
			return done, err
		},
	})
	return done, err
}

// SomebodyElse is a good call at the pass's point of a client that the pass does no harm to: the shared partner's where
// the pass has a partner of its own, else the neighbour's. None gives nil.
func (p *Pass) SomebodyElse(ctx context.Context) (*Call, error) {
	if p.Cast.Registers() {
		call, err := p.AliveCall(ctx)
		return &call, err
	}
	if !p.Cast.Has(cast.Neighbour) {
		p.Note("the plan has no neighbour, so an outage would look like success")
		return nil, nil
	}
	neighbour, err := p.Neighbour(ctx)
	if err != nil {
		return nil, err
	}
	token, err := neighbour.NewToken(ctx, p.Point)
	if err != nil {
		return nil, err
	}
	call := p.Call(neighbour, token)
	call.Name = "the neighbour's call"
	return &call, nil
}

// Resume plays the operator's hook that lets a suspended member in again, and forgets the tokens that it had.
func (p *Pass) Resume(ctx context.Context, member *cast.Member) (wire.Exchange, error) {
	x, err := p.Cast.Hook(ctx, plan.Resume, member, nil)
	member.ForgetTokens()
	return x, err
}

// Becomes asks a call every quarter of a second until it is decided as wanted (Denied holds odd refusals too), or until
// time is up. It gives how long that took and the last answer, and asserts nothing.
func (p *Pass) Becomes(ctx context.Context, call Call, wanted wire.Decision, within time.Duration) (time.Duration, Answer, error) {
	started := time.Now()
	for {
		_, answer, err := p.Do(ctx, wire.Probe, call)
		if err != nil {
			return 0, answer, err
		}
		took := time.Since(started)
		if answer.Decision == wanted || wanted == wire.Denied && answer.Decision == wire.Odd || took >= within {
			return took, answer, nil
		}
		err = p.Wait(ctx, min(250*time.Millisecond, within-took))
		if err != nil {
			return took, answer, err
		}
	}
}

// ForgetKeys drops what rests on the server's signing keys: the shared tokens and the published keys. The next check
// begins anew.
func (p *Pass) ForgetKeys() {
	p.Cast.ForgetTokens()
	p.Stack.mu.Lock()
	defer p.Stack.mu.Unlock()
	clear(p.Stack.forgers)
}
