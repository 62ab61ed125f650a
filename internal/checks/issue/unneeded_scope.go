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

// UnneededScope looks for rights that are granted and that no operation of the agreement needs: what nobody uses nobody
// misses when it is taken, and nobody notices when it is used.
//
// It can tell only where the plan names the scopes of all allowed operations (operations.scopes). Standards ask for least
// privilege and leave its measure to the parties.
var UnneededScope = &check.Check{
	ID:       "issue.unneeded-scope",
	Title:    "every scope that the partner gets is needed by an operation that was agreed",
	Broken:   "the partner gets a scope that no agreed operation needs",
	Why:      "a right that nobody uses is there for whoever steals the token",
	Fix:      "take the scope away, or add the operation that needs it to the agreement",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.ASVS("10.2.3"), frameworks.ASVS("10.4.11"), frameworks.NHI(5), frameworks.SP80053("AC-6")},
	Severity: logbook.Low,
	At:       check.HomeServer,
	Twin:     defect.Set{UnusedScopeGranted: true},
	Also:     []defect.Set{{DefaultScopeAdded: true}, {EndedApprovalGranted: true}}, // nor is what was not agreed, or has ended, needed
	Follows:  []string{"issue.nothing-beyond-agreement"},
	Run: func(ctx context.Context, p *check.Pass) error {
		var needed []string
		for _, point := range p.Stack.Plan.Points {
			if p.Cast.TokenServer(&point) != p.Name {
				continue
			}
			for _, operation := range point.Operations {
				if operation.Deny {
					continue
				}
				if len(operation.Scopes) == 0 {
					return check.CannotTell("which scopes %s at %s needs is not told; name them under operations.scopes", operation.Name, point.Name)
				}
				needed = append(needed, operation.Scopes...)
			}
		}
		if len(needed) == 0 {
			return check.NotApplicable("no point takes tokens of %s", p.Name)
		}
		_, token, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		told, err := p.ScopesOf(ctx, token)
		if err != nil {
			return err
		}
		if len(told) == 0 {
			return check.CannotTell("nothing tells which scopes the token has")
		}
		var idle []string
		for _, each := range told {
			for _, scope := range each.Scopes {
				if !slices.Contains(needed, scope) && !slices.Contains(idle, scope) {
					idle = append(idle, scope)
				}
			}
		}
		observed := "each is needed"
		if len(idle) > 0 {
			observed = "no operation needs " + strings.Join(idle, ", ")
		}
		p.Holds("each scope of the token is needed by an operation", len(idle) == 0, observed)
		return nil
	},
}
