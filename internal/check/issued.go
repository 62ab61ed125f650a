package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// Issued is what came of a token request. The token is one only if it was accepted.
type Issued struct {
	Token    oauth.Token
	Exchange wire.Exchange
	Decision wire.Decision
	Why      string
}

// Issue asks for a token as a member by a wish, once, and keeps what comes: it is tried at the end.
func (p *Pass) Issue(ctx context.Context, purpose wire.Purpose, member *cast.Member, wish cast.TokenWish) (Issued, error) {
	return p.brings(ctx, purpose, member, wish, member.TokenRequest(wish))
}

// JustIssued gives the partner and a token that it just asked for as it usually does, with the answer that brought it.
func (p *Pass) JustIssued(ctx context.Context) (*cast.Member, Issued, error) {
	partner, err := p.Partner(ctx)
	if err != nil {
		return nil, Issued{}, err
	}
	got, err := p.Issue(ctx, wire.Setup, partner, partner.Usual())
	if err == nil && got.Decision != wire.Accepted {
		err = CannotTell("no token was issued: %s", got.Why)
	}
	return partner, got, err
}

func (p *Pass) brings(ctx context.Context, purpose wire.Purpose, member *cast.Member, wish cast.TokenWish, request wire.Request) (Issued, error) {
	request.Unrecorded = true // it is recorded with what it says
	x, err := p.through(ctx, purpose, request, p.Cast.Ask)
	if err != nil {
		return Issued{}, err
	}
	decision, why := oauth.TokenDecision(x)
	if x.Failure == wire.Reset { // once, it says no more than the network might
		decision = wire.Unknown
	}
	p.Stack.Keep(x, decision.String())
	issued := Issued{Exchange: x, Decision: decision, Why: why}
	if decision != wire.Accepted {
		return issued, nil
	}
	issued.Token, err = p.Cast.Keep(x, member, wish)
	if err != nil {
		return issued, err
	}
	return issued, nil
}

// Brings sends a token request that was altered, once, and keeps what comes: it is tried at the end.
func (p *Pass) Brings(ctx context.Context, member *cast.Member, wish cast.TokenWish, request wire.Request) (Issued, error) {
	return p.brings(ctx, wire.Altered, member, wish, request)
}
