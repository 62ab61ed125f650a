package issue

import (
	"context"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// UnknownResource asks for tokens for a resource that nobody serves, for one that is no absolute URI and for one with a
// fragment. A good request is accepted before and after. A server that takes no notice of what it does not know, and
// makes the token that it always makes, has done no harm: only a token that names what was asked is a finding.
//
// RFC 8707 §2: the resource MUST be an absolute URI without fragment; the server should refuse what it is not willing or
// able to issue for with invalid_target.
var UnknownResource = &check.Check{
	ID:       "issue.unknown-resource",
	Title:    "no token is issued for a resource that is unknown or malformed",
	Broken:   "a token is issued for a resource that is unknown or malformed",
	Why:      "a partner has tokens made out to whichever audience it names: to an internal service that trusts the server, or to a name that is compared carelessly",
	Fix:      "keep a list of resources, compare the parameter with it letter by letter, and answer invalid_target otherwise",
	Refs:     []frameworks.Ref{frameworks.RFC(8707, "2"), frameworks.RFC(9700, "2.3"), frameworks.NHI(5), frameworks.SP80053("SI-10")},
	Rows:     []string{"L-TK-15"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Twin:     defect.Set{ResourceUnchecked: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		good := p.AtToken(partner, partner.Usual())
		err = p.Opens(ctx, good)
		if err != nil {
			return err
		}
		whole := "https://api.example"
		if points := resourcePoints(p); len(points) > 0 {
			whole = points[0].Resource
		}
		decided := false
		for _, one := range []struct{ name, resource string }{
			{"a resource that nobody serves", "https://checkride-nowhere.example/api"},
			{"a relative reference", "/checkride/nowhere"},
			{"a resource with a fragment", whole + "#checkride"},
		} {
			const expected = "refused as invalid_target, or a token that is not for it"
			differs := "form resource: " + one.resource
			wish := partner.Usual()
			wish.Resource = one.resource
			got, err := p.Issue(ctx, wire.Altered, partner, wish)
			switch {
			case err != nil:
				return err
			case got.Decision == wire.Unknown:
				p.Case(one.name, logbook.Inconclusive, expected, got.Why, differs, got.Why)
				continue
			case got.Decision != wire.Accepted:
				decided = true
				p.Case(one.name, logbook.Pass, expected, got.Why, differs, "")
				continue
			}
			audience, err := audienceOf(ctx, p, got.Token)
			switch {
			case err != nil:
				return err
			case slices.Contains(audience, one.resource):
				decided = true
				p.Case(one.name, logbook.Fail, expected, "a token with aud "+strings.Join(audience, ", "), differs, "")
			case audience == nil && got.Token.JWT == nil:
				p.Case(one.name, logbook.Inconclusive, expected, "", differs, "a token came, and neither it nor introspection tells for whom it is")
			case audience == nil:
				p.Note("%s is taken no notice of: the token names nobody whom it is for", one.name)
				p.Case(one.name, logbook.NotApplicable, expected, "a token without aud", differs, "")
			default:
				p.Note("%s is taken no notice of: the token is for %s", one.name, strings.Join(audience, ", "))
				p.Case(one.name, logbook.NotApplicable, expected, "aud is "+strings.Join(audience, ", "), differs, "")
			}
		}
		if !decided {
			p.Note("%s seems not to know resource indicators", p.Name)
		}
		return p.Opens(ctx, good)
	},
}
