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
	Rows:     []string{"L-EN-02"},
	Severity: logbook.High,
	At:       check.EveryPoint,
	Twin:     defect.Set{DefaultScopeAdded: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		token, err := partner.Token(ctx, p.Point)
		if err != nil {
			return err
		}
		agreement := p.Stack.Plan.Agreement
		scopes, err := p.ScopesOf(ctx, token)
		if err != nil {
			return err
		}
		if len(scopes) > 0 && len(agreement.Scopes) > 0 {
			var beyond []string
			for _, told := range scopes {
				for _, scope := range told.Scopes {
					if !slices.Contains(agreement.Scopes, scope) {
						beyond = append(beyond, scope+" by "+told.By)
					}
				}
			}
			within(p, "scopes", agreement.Scopes, beyond)
		}
		told, err := p.ClaimsOf(ctx, token)
		if err != nil {
			return err
		}
		if len(agreement.Audiences) > 0 {
			within(p, "audiences", agreement.Audiences, check.Outside(told, "aud", agreement.Audiences))
		}
		for _, claim := range []string{"roles", "groups", "entitlements"} {
			if agreement.Roles == nil {
				if more := check.Outside(told, claim, nil); len(more) > 0 {
					p.Note("the token carries %s: %s; say under agreement.roles what was agreed", claim, strings.Join(more, ", "))
				}
				continue
			}
			within(p, claim, agreement.Roles, check.Outside(told, claim, agreement.Roles))
		}
		for _, claim := range slices.Sorted(maps.Keys(agreement.Claims)) {
			wanted := agreement.Claims[claim]
			places, differ := check.Says(told, claim, wanted)
			switch {
			case len(told) == 0:
			case places == 0:
				p.Case("claim "+claim, logbook.Fail, claim+" is "+wanted, "nothing tells it", "", "")
			case len(differ) > 0:
				p.Case("claim "+claim, logbook.Fail, claim+" is "+wanted, strings.Join(differ, ", "), "", "")
			default:
				p.Case("claim "+claim, logbook.Pass, claim+" is "+wanted, fmt.Sprintf("so say %d of %d places", places, len(told)), "", "")
			}
		}
		if len(scopes) == 0 && len(told) == 0 {
			return check.CannotTell("the token is opaque, its answer tells no scope, and the ride may not introspect")
		}
		return nil
	},
}

// within decides whether a token's rights of one kind are all agreed.
func within(p *check.Pass, kind string, agreed, beyond []string) {
	expected := kind + " within " + strings.Join(agreed, ", ")
	if len(beyond) > 0 {
		p.Case(kind, logbook.Fail, expected, "also "+strings.Join(beyond, ", "), "", "")
		return
	}
	p.Case(kind, logbook.Pass, expected, "nothing beyond", "", "")
}
