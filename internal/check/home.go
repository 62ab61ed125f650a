package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
)

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
