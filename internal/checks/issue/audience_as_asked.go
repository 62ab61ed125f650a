package issue

import (
	"context"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// AudienceAsAsked asks for a token for each resource of the plan, and reads whom each is for. Seen: servers that put every audience of the client into each of its tokens, whichever was asked for.
//
// RFC 8707 §2 and RFC 9700 §2.3: the audience SHOULD be restricted to the resource; the server may map it to another
// name, so a name that is nobody else's is no finding. RFC 9068 §3: in a JWT of that profile, aud SHOULD be the resource of the
// request.
var AudienceAsAsked = &check.Check{
	ID:       "issue.audience-as-asked",
	Title:    "a token is for the resource that was asked for, and for no other point",
	Broken:   "a token that was asked for one resource is for other points as well",
	Why:      "a point that is broken into, or a curious one, can use the tokens that it sees at all others",
	Fix:      "restrict aud to the resource of the request",
	Refs:     []frameworks.Ref{frameworks.RFC(8707, "2"), frameworks.RFC(9068, "3"), frameworks.RFC(9700, "2.3"), frameworks.ASVS("9.2.4"), frameworks.NHI(5), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-TK-14", "L-AT-04"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Twin:     defect.Set{AudienceWidened: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		points := resourcePoints(p)
		if len(points) < 2 {
			return check.NotApplicable("the plan's points want no two resources of %s (points.resource)", p.Name)
		}
		audiences := make([][]string, len(points))
		follows := false // whether aud has to do with the resource at all
		for i, point := range points {
			token, err := partner.Token(ctx, point)
			if err != nil {
				return err
			}
			audiences[i], err = audienceOf(ctx, p, token)
			if err != nil {
				return err
			}
			follows = follows || slices.Contains(audiences[i], point.Resource) || i > 0 && !same(audiences[0], audiences[i])
		}
		if !follows {
			return check.NotApplicable("no audience of a token has to do with the resource that was asked for; %s seems not to know resource indicators", p.Name)
		}
		for i, point := range points {
			const expected = "for what was asked, and for no other point"
			name, observed := "resource "+point.Resource, "aud is "+strings.Join(audiences[i], ", ")
			switch {
			case audiences[i] == nil:
				p.Case(name, logbook.Inconclusive, expected, "", "", "neither the token nor introspection tells for whom it is")
			case len(others(audiences[i], point, points)) > 0:
				p.Case(name, logbook.Fail, expected, observed, "", "")
			default:
				if !slices.Contains(audiences[i], point.Resource) || len(audiences[i]) > 1 {
					p.Note("a token for %s has the audience %s", point.Resource, strings.Join(audiences[i], ", "))
				}
				p.Case(name, logbook.Pass, expected, observed, "", "")
			}
		}
		return nil
	},
}
