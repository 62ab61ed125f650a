package check

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
)

// WithSeveralScopes gives a member with two scopes or more, so that it can ask for a part of them: the partner, else the
// neighbour. It is nil where there is none.
func (p *Pass) WithSeveralScopes(ctx context.Context) (*cast.Member, error) {
	for _, role := range []string{cast.Partner, cast.Neighbour} {
		described, ok := p.Cast.Client(role)
		if ok && len(described.Scopes) > 1 {
			return p.Cast.Member(ctx, role)
		}
	}
	return nil, nil
}
