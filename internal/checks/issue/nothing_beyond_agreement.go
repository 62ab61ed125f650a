package issue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// NothingBeyondAgreement reads a token as the partner gets it day by day and holds each right in it against what the
// business agreed to: scopes against agreement.scopes, audiences against agreement.audiences, roles against
// agreement.roles, and the claims that agreement.claims fixes. Other checks ask for too much; this one asks for what is
// usual, and looks for what the server puts on top.
//
// RFC 6749 §3.3: the server may issue another scope than was asked for, by its policy, and must tell. So more than was
// agreed is lawful there, and a finding by the agreement.
var NothingBeyondAgreement = &check.Check{
	ID:       "issue.nothing-beyond-agreement",
	Title:    "the partner's token carries the scopes, audiences, roles and claims of the agreement, and nothing beyond",
	Broken:   "the partner's token carries more than was agreed",
	Why:      "a default scope, a shared audience or a group makes the token good for what nobody meant to give",
	Fix:      "take default scopes, audiences and role mappings off the client at the authorization server, or agree to them",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(6749, "3.3"), frameworks.RFC(9068, "2.2.3"), frameworks.ASVS("10.4.11"), frameworks.ASVS("9.2.4"), frameworks.NHI(5), frameworks.CSF("PR.AA-05"), frameworks.SP80053("AC-6")},
	Severity: logbook.High,
	At:       check.HomeServer,
	Twin:     defect.Set{DefaultScopeAdded: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		asked := map[string]bool{}
		for i := range p.Stack.Plan.Points {
			point := &p.Stack.Plan.Points[i]
			if p.Cast.TokenServer(point) != p.Name || !point.TakesTokens() {
				continue
			}
			token, err := partner.Token(ctx, point)
			if err != nil {
				return err
			}
			if asked[token.Resource] { // the same token for all
				continue
			}
			asked[token.Resource] = true
			err = judgeRights(ctx, p, point.Name, token)
			if err != nil {
				return err
			}
		}
		if len(asked) == 0 {
			return check.NotApplicable("no point takes tokens of %s", p.Name)
		}
		return nil
	},
}

// judgeRights holds all that a token for a point says against the agreement.
func judgeRights(ctx context.Context, p *check.Pass, point string, token oauth.Token) error {
	agreement := p.Stack.Plan.Agreement
	scopes, err := p.ScopesOf(ctx, token)
	if err != nil {
		return err
	}
	told, err := p.ClaimsOf(ctx, token)
	if err != nil {
		return err
	}
	if len(scopes) == 0 && len(told) == 0 {
		return check.CannotTell("the token for %s is opaque, its answer tells no scope, and the ride may not introspect", point)
	}
	if len(scopes) > 0 && len(agreement.Scopes) > 0 {
		var beyond []string
		for _, each := range scopes {
			for _, scope := range each.Scopes {
				if !slices.Contains(agreement.Scopes, scope) {
					beyond = append(beyond, scope+" by "+each.By)
				}
			}
		}
		within(p, point, "scopes", agreement.Scopes, beyond)
	}
	if len(agreement.Audiences) > 0 {
		within(p, point, "audiences", agreement.Audiences, check.Outside(told, "aud", agreement.Audiences))
	}
	for _, claim := range []string{"roles", "groups", "entitlements"} {
		more := check.Outside(told, claim, agreement.Roles)
		if agreement.Roles != nil {
			within(p, point, claim, agreement.Roles, more)
		} else if len(more) > 0 {
			p.Note("the token for %s carries %s: %s; say under agreement.roles what was agreed", point, claim, strings.Join(more, ", "))
		}
	}
	for _, claim := range slices.Sorted(maps.Keys(agreement.Claims)) {
		wanted := agreement.Claims[claim]
		places, differ := check.Says(told, claim, wanted)
		outcome, observed := logbook.Pass, fmt.Sprintf("so say %d of %d places", places, len(told))
		switch {
		case len(told) == 0:
			continue
		case places == 0:
			outcome, observed = logbook.Fail, "nothing tells it"
		case len(differ) > 0:
			outcome, observed = logbook.Fail, strings.Join(differ, ", ")
		}
		p.Case("claim "+claim+" for "+point, outcome, claim+" is "+wanted, observed, "", "")
	}
	return nil
}

// within decides whether a token's rights of one kind are all agreed.
func within(p *check.Pass, point, kind string, agreed, beyond []string) {
	outcome, observed := logbook.Pass, "nothing beyond"
	if len(beyond) > 0 {
		outcome, observed = logbook.Fail, "also "+strings.Join(beyond, ", ")
	}
	p.Case(kind+" for "+point, outcome, kind+" within "+strings.Join(agreed, ", "), observed, "", "")
}
