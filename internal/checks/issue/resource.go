package issue

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// audienceOf is whom a token is for: by the token itself, else by introspection. It is nil where nobody tells.
func audienceOf(ctx context.Context, p *check.Pass, token oauth.Token) ([]string, error) {
	if token.JWT != nil {
		return token.JWT.Audience(), nil
	}
	if !p.Cast.Has(cast.ResourceServer) {
		return nil, nil
	}
	asker, err := p.ResourceServer(ctx)
	if err != nil || asker.Server.Endpoints.Introspection == "" {
		return nil, err
	}
	x, _, err := p.Do(ctx, wire.Setup, p.AtIntrospection(asker, token.Text))
	if err != nil {
		return nil, err
	}
	active, claims, err := oauth.ReadIntrospection(x)
	if err != nil || !active {
		return nil, nil
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
