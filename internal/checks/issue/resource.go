package issue

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// audienceOf is whom a token is for: by the token itself, else by introspection. It is nil where nobody tells.
func audienceOf(ctx context.Context, p *check.Pass, token oauth.Token) ([]string, error) {
	if token.JWT != nil {
		return token.JWT.Audience(), nil
	}
	claims, err := p.Introspected(ctx, token)
	if err != nil {
		return nil, err
	}
	return oauth.Strings(claims["aud"]), nil
}

// resourcePoints gives one point for each resource that the plan's points want of the pass's server.
func resourcePoints(p *check.Pass) []*plan.Point {
	var points []*plan.Point
	seen := map[string]bool{"": true}
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		if point.TakesTokens() && p.Cast.TokenServer(point) == p.Name && !seen[point.Resource] {
			seen[point.Resource] = true
			points = append(points, point)
		}
	}
	return points
}

// others gives what of an audience is the resource of another point.
func others(audience []string, point *plan.Point, points []*plan.Point) []string {
	var found []string
	for _, other := range points {
		if other != point && slices.Contains(audience, other.Resource) {
			found = append(found, other.Resource)
		}
	}
	return found
}
