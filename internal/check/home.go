package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// HomeToken gives the partner and its token for a point which takes tokens of the server where partners are registered
// ([Pass.HomePoint]).
func (p *Pass) HomeToken(ctx context.Context) (*cast.Member, oauth.Token, error) {
	partner, err := p.Partner(ctx)
	if err != nil {
		return nil, oauth.Token{}, err
	}
	token, err := partner.Token(ctx, p.HomePoint())
	return partner, token, err
}

// HomeCall is a call with a new token of a member that was just accepted at a point which takes tokens of the server
// where partners are registered ([Pass.HomePoint]). It is nil where there is no such point.
func (p *Pass) HomeCall(ctx context.Context, member *cast.Member) (*Call, error) {
	point := p.HomePoint()
	if point == nil || point.Credential != "bearer" {
		return nil, nil
	}
	token, err := member.NewToken(ctx, point)
	if err != nil {
		return nil, err
	}
	call := p.CallAt(point, p.Allowed(point), member, token)
	return &call, p.Opens(ctx, call)
}

// HomePoint is a point that takes tokens of the server where partners are registered; one that learns of revocations
// comes first. It is nil where there is none.
func (p *Pass) HomePoint() *plan.Point {
	var found *plan.Point
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		if p.Cast.TokenServer(point) != p.Cast.HomeServer() {
			continue
		}
		if point.Revocation != "expiry" {
			return point
		}
		if found == nil {
			found = point
		}
	}
	return found
}
