package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// RevocationPromise is the plan's key that bounds revocation at a point.
func RevocationPromise(point *plan.Point) string {
	if point == nil {
		return "limits.revocation"
	}
	_, promise := plan.RevocationLimits{}.For(point.Revocation)
	return promise
}

// TokenExpires says when the token of a call dies by itself.
func TokenExpires(call Call) time.Time { return call.Token.Expires }

// Mint gives calls with tokens that nobody else holds, at the pass's point.
func (p *Pass) Mint(member *cast.Member) func(context.Context) (Call, error) {
	return func(ctx context.Context) (Call, error) {
		token, err := member.NewToken(ctx, p.Point)
		if err != nil {
			return Call{}, err
		}
		return p.Call(member, token), nil
	}
}

// aliveCall is somebody else's good call at the pass's point: the shared partner's. If it dies too, it was an outage.
func (p *Pass) aliveCall(ctx context.Context) (Call, error) {
	member, err := p.Cast.Member(ctx, cast.Partner)
	if err != nil {
		return Call{}, err
	}
	point := p.Point
	inner := func() (wire.Request, error) {
		token, err := member.Token(ctx, point) // renewed if it is about to expire: this call must not die of age
		if err != nil {
			return wire.Request{}, err
		}
		return p.request(point, p.Allowed(point), member, token)
	}
	token, err := member.Token(ctx, point)
	if err != nil {
		return Call{}, err
	}
	call := p.Call(member, token)
	call.Name, call.Make = "the shared partner's call", inner
	return call, nil
}

// RevocationWithin asserts that tokens of a member which are withdrawn one by one are refused at the pass's point within
// its limit for revocation. A point that is declared `revocation: expiry` promises no more than the token's own end: it
// passes when the token's remaining life is within its limit.
func (p *Pass) RevocationWithin(ctx context.Context, what string, member *cast.Member, withdraw func(context.Context, Call) (wire.Exchange, error)) error {
	limit, promise := p.Limits.Revocation.For(p.Point.Revocation)
	if p.Point.Revocation == "expiry" {
		return p.diesByExpiry(ctx, member, limit, promise)
	}
	w, err := p.revocation(ctx, what, member, withdraw)
	if err != nil {
		return err
	}
	return p.RefusedWithin(ctx, w)
}

// revocation is the withdrawal of tokens one by one, beside a sibling and somebody else who is not harmed.
func (p *Pass) revocation(ctx context.Context, what string, member *cast.Member, withdraw func(context.Context, Call) (wire.Exchange, error)) (Withdrawal, error) {
	limit, promise := p.Limits.Revocation.For(p.Point.Revocation)
	alive, err := p.Bystander(ctx, p.Point, member)
	if err != nil {
		return Withdrawal{}, err
	}
	if alive == nil { // the one given client is all there is
		own, err := p.aliveCall(ctx)
		if err != nil {
			return Withdrawal{}, err
		}
		alive = &own
	}
	sibling, err := p.sibling(ctx, member)
	if err != nil {
		return Withdrawal{}, err
	}
	return Withdrawal{
		What: what, Limit: limit, Promise: promise, Mint: p.Mint(member), Each: withdraw, Sibling: sibling, Alive: alive, Expires: TokenExpires,
		Anew: func(ctx context.Context) (Withdrawal, error) { return p.revocation(ctx, what, member, withdraw) },
	}, nil
}

// sibling is a call with another token of the same client, which must live on; none where the server gives the same
// token again.
func (p *Pass) sibling(ctx context.Context, member *cast.Member) (*Call, error) {
	found, err := p.Cast.Calibrate(ctx, member.Server.Name)
	if err != nil {
		return nil, err
	}
	if found.SameToken {
		return nil, nil
	}
	call, err := p.Mint(member)(ctx)
	if err != nil {
		return nil, err
	}
	call.Name = "the unrevoked twin"
	return &call, p.Opens(ctx, call)
}

func (p *Pass) diesByExpiry(ctx context.Context, member *cast.Member, limit time.Duration, promise string) error {
	call, err := p.Mint(member)(ctx)
	if err != nil {
		return err
	}
	token, err := p.Dated(ctx, call.Token)
	if err != nil {
		return err
	}
	return p.lifeWithin(token, limit, promise)
}

func (p *Pass) lifeWithin(token oauth.Token, limit time.Duration, promise string) error {
	if token.Expires.IsZero() {
		return CannotTell("the server does not say how long the token lives")
	}
	life := time.Until(token.Expires)
	outcome := logbook.Pass
	if life > limit {
		outcome = logbook.Fail
	}
	p.observation.Bounds = append(p.observation.Bounds, logbook.Bound{Name: "until expiry", Low: life, High: life, Limit: limit, Limited: promise, Expired: true, Outcome: outcome})
	p.Holds("the token dies by itself within "+limit.String(), life <= limit, "it lives "+life.Round(100*time.Millisecond).String())
	return nil
}

// Exposed asserts that a token which cannot be withdrawn dies by itself within a limit: its remaining life is the
// exposure. Why says why it cannot be withdrawn.
func (p *Pass) Exposed(token oauth.Token, why string, limit time.Duration, promise string) error {
	if token.Expires.IsZero() {
		return CannotTell("%s, and the server does not say how long it lives", why)
	}
	life := time.Until(token.Expires)
	outcome := logbook.Pass
	if life > limit {
		outcome = logbook.Fail
	}
	p.observation.Bounds = append(p.observation.Bounds, logbook.Bound{
		Name: "until expiry", Low: life, High: life, Limit: limit, Limited: promise, Expired: true, Outcome: outcome,
	})
	p.Holds("it can be revoked, or dies by itself within "+limit.String(), life <= limit, why+": it lives "+life.Round(100*time.Millisecond).String()+" more")
	return nil
}
