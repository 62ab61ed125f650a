package claims

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
)

// secondResourceServer needs a resource server that serves one resource alone, and points that want it and another.
var secondResourceServer = check.Need{Name: "a second resource server", Has: func(p *plan.Plan, _ *plan.Point) (check.Missing, string, string) {
	i := slices.IndexFunc(p.Clients, func(c plan.Client) bool { return c.Name == cast.SecondResourceServer })
	if i < 0 {
		return check.Absent, "the plan has no resource server that may introspect for one resource alone (clients.second_resource_server)", ""
	}
	return check.Present, "", ""
}}

// IntrospectionForAnother lets a resource server that serves one resource ask about a token for another: a token that it
// has come by at its own door. Its own token is active for it before and after, and the other one opens its point.
//
// RFC 7662 §2.2: of a token that is not for whoever asks, the server MUST say active false; §4: it checks whether the
// token may be used at the server that asks. Which server serves what the plan says (clients.second_resource_server).
var IntrospectionForAnother = &check.Check{
	ID:       "claims.introspection-for-another",
	Title:    "a resource server learns nothing about tokens for other resources",
	Broken:   "a resource server learns about tokens for other resources",
	Why:      "a resource server that is broken into, or is curious, tells good tokens from bad ones for all others, and what each may do; and one that goes by active alone takes them all",
	Fix:      "compare the token's audience with the resource that the caller serves, and answer active false where they differ",
	Refs:     []frameworks.Ref{frameworks.RFC(7662, "2.2"), frameworks.RFC(7662, "4"), frameworks.RFC(9700, "2.3"), frameworks.ASVS("8.2.2"), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-IN-04"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{secondResourceServer},
	Twin:     defect.Set{IntrospectionAnyAudience: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		second, err := p.Cast.Member(ctx, cast.SecondResourceServer)
		if err != nil {
			return err
		}
		if second.Server.Endpoints.Introspection == "" {
			return check.NotApplicable("%s has no introspection endpoint", p.Name)
		}
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		var mine, other *plan.Point
		for i := range p.Stack.Plan.Points {
			point := &p.Stack.Plan.Points[i]
			switch {
			case point.Credential != "bearer" || p.Cast.TokenServer(point) != p.Cast.HomeServer() || point.Resource == "":
			case point.Resource == second.Plan.Resource:
				mine = point
			case other == nil:
				other = point
			}
		}
		if mine == nil || other == nil {
			return check.NotApplicable("no two points of the plan want the second resource server's resource and another one (points.resource)")
		}
		own, err := partner.Token(ctx, mine)
		if err != nil {
			return err
		}
		foreign, err := partner.Token(ctx, other)
		if err != nil {
			return err
		}
		if foreign.JWT != nil && slices.Contains(foreign.JWT.Audience(), mine.Resource) || foreign.Text == own.Text {
			return check.BecauseOf("issue.audience-as-asked", "the token for %s is for %s as well", other.Name, mine.Name)
		}
		if foreign.JWT == nil { // then introspection alone says for whom it is
			told, err := p.ClaimsOf(ctx, foreign)
			if err != nil {
				return err
			}
			for _, each := range told {
				if slices.Contains(oauth.Strings(each.Claims["aud"]), mine.Resource) {
					return check.BecauseOf("issue.audience-as-asked", "the token for %s is for %s as well, by %s", other.Name, mine.Name, each.By)
				}
			}
		}
		control, err := introspected(ctx, p, second, own)
		if err != nil {
			return err
		}
		good := p.CallAt(other, p.Allowed(other), partner, foreign)
		return p.RefusesGoodElsewhere(ctx, control, good, forge.WithToken(foreign.Text, "a token for "+other.Name))
	},
}
