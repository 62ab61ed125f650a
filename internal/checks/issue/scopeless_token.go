package issue

import (
	"context"
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// ScopelessToken asks for nothing but scopes that the partner must not get. A server that filters them all away and
// issues what is left makes a token without scope, which some points take for one without bounds: so where there is
// such a token, it is tried at every point, at the allowed and at the denied operations.
//
// RFC 6749 §5.2: the refusal is invalid_scope. §3.3 allows a default within the entitlement as well, if the answer tells.
var ScopelessToken = &check.Check{
	ID:       "issue.scopeless-token",
	Title:    "a request for unentitled scopes alone brings no token that opens anything",
	Broken:   "a request for unentitled scopes alone brings a token that opens something",
	Why:      "a token without scope is one without bounds at every point that only compares scopes where there are some",
	Fix:      "refuse with invalid_scope when nothing is left of what was asked, and let points refuse tokens that name no scope",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "5.2"), frameworks.RFC(6749, "3.3"), frameworks.ASVS("10.3.2"), frameworks.NHI(5), frameworks.API(5), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-TK-08"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Unentitled},
	Besides:  []*logbook.Breach{unentitledAlone},
	Twin:     defect.Set{ScopelessToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		const name, expected = "token request", "refused as invalid_scope, or a default within the entitlement, told"
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		good := p.AtToken(partner, partner.Usual())
		err = p.Opens(ctx, good)
		if err != nil {
			return err
		}
		beyond := p.Stack.Plan.Agreement.Unentitled
		differs := "form scope: " + strings.Join(beyond, " ")
		wish := partner.Usual()
		wish.Scopes = beyond
		got, err := p.Issue(ctx, wire.Altered, partner, wish)
		switch {
		case err != nil:
			return err
		case got.Decision == wire.Unknown:
			return check.CannotTell("the token request could not be decided: %s", got.Why)
		case got.Decision != wire.Accepted:
			err = p.Opens(ctx, good)
			if err != nil {
				return err
			}
			p.Case(name, logbook.Pass, expected, got.Why, differs, "")
			return nil
		}
		told, err := p.ScopesOf(ctx, got.Token)
		if err != nil {
			return err
		}
		if found := check.Beyond(told, beyond); found != "" {
			defer p.Besides(unentitledAlone)()
			p.Case(name, logbook.Fail, expected, "a token with "+found, differs, "")
			return nil
		}
		if len(told) > 0 {
			if !got.Token.ScopeTold {
				p.Note("the token's scope is another than was asked by %s, and the answer does not tell", told[0].By)
			}
			p.Case(name, logbook.Pass, expected, "narrowed to "+strings.Join(told[0].Scopes, " "), differs, "")
			return nil
		}
		p.Note("a token without scope is issued")
		for i := range p.Stack.Plan.Points {
			point := &p.Stack.Plan.Points[i]
			if p.Cast.TokenServer(point) != p.Name {
				continue
			}
			mine, err := partner.Token(ctx, point)
			if err != nil {
				return err
			}
			scopeless, err := partner.TokenWith(ctx, cast.TokenWish{Scopes: beyond, Resource: mine.Resource})
			if err != nil {
				return err
			}
			open := p.CallAt(point, p.Allowed(point), partner, mine)
			err = p.Opens(ctx, open)
			if err != nil {
				return err
			}
			for _, operation := range point.Operations {
				if !operation.Deny && len(operation.Scopes) == 0 {
					continue // the plan does not say that it needs a scope
				}
				_, answer, err := p.Do(ctx, wire.Altered, p.CallAt(point, operation, partner, scopeless))
				if err != nil {
					return err
				}
				expected, named := "refused", fmt.Sprintf("%s at %s with a token without scope", operation.Name, point.Name)
				if !p.NotAccepted(named, expected, differs, answer.Decision, answer.Why) {
					p.Case(named, logbook.Fail, expected, answer.Why+", accepted", differs, "")
				}
			}
			err = p.Opens(ctx, open)
			if err != nil {
				return err
			}
		}
		p.Case(name, logbook.Pass, expected, "a token without scope", differs, "")
		return nil
	},
}

var unentitledAlone = &logbook.Breach{
	Broken:   "a request for unentitled scopes alone brings a token with them",
	Why:      "a partner gives itself every right that exists by naming it in a request",
	Fix:      "refuse with invalid_scope when nothing is left of what was asked",
	Severity: logbook.Critical,
}
