package revoke

import (
	"context"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// ReducedEntitlement takes a right away while a token that carries it lives. No RFC says how soon the token must lose
// it: SP 800-207 wants access decided anew all the time, and the plan sets the limit.
var ReducedEntitlement = &check.Check{
	ID:       "revoke.reduced-entitlement",
	Title:    "a right that was taken away is gone from living tokens within the agreed time",
	Broken:   "a right that was taken away lives on in tokens beyond the agreed time",
	Why:      "beyond the time in the plan, and until its tokens expire, the partner keeps a right that somebody decided to take",
	Fix:      "end or re-evaluate the tokens of a client when its entitlement shrinks, or make tokens short-lived",
	Refs:     []frameworks.Ref{frameworks.Tenet(6), frameworks.ASVS("8.3.2"), frameworks.SP80053("AC-3(8)"), frameworks.NHI(5), frameworks.House()},
	Rows:     []string{"L-EN-01"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Hook(plan.ReduceEntitlement)},
	Takes:    check.Rotate,
	Waits:    func(l plan.Limits) time.Duration { return l.Entitlement.D() + l.Patience.D() },
	Promise:  func(*plan.Point) string { return "limits.entitlement" },
	Twin:     defect.Set{ReductionKeepsTokens: true},
	Also:     []defect.Set{{FeedStopped: true}, {TokenCache: 6 * time.Second}},
	Follows:  []string{"revoke.token-outlives-revocation"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		if !partner.Own && !p.Cast.HasHook(plan.RestoreEntitlement) {
			return check.CannotTell("needs hook `restore_entitlement`: a given partner must get its right back")
		}
		scope := needed(p.Allowed(p.Point).Scopes, partner.Plan.Scopes)
		if scope == "" {
			return check.CannotTell("which scope opens %s is not told; name it under operations.scopes", p.Point.Name)
		}
		values := map[string]string{"scope": scope}
		err = p.WithdrawnWithin(ctx, partner, check.Withdrawal{
			What: "token with the right " + scope + " that was taken away", Limit: p.Limits.Entitlement.D(), Promise: "limits.entitlement",
			All: func(ctx context.Context) (wire.Exchange, error) {
				return p.Hook(ctx, plan.ReduceEntitlement, partner, values)
			},
		})
		if partner.Own {
			return err
		}
		partner.ForgetTokens() // the others need living ones
		_, restored := p.Hook(context.WithoutCancel(ctx), plan.RestoreEntitlement, partner, values)
		if restored != nil {
			p.Note("the right could not be given back: %v", restored)
		}
		return err
	},
}

// needed is the scope that opens an operation and that the partner has.
func needed(operation, partner []string) string {
	for _, scope := range operation {
		if slices.Contains(partner, scope) {
			return scope
		}
	}
	if len(operation) == 0 && len(partner) == 1 {
		return partner[0]
	}
	return ""
}
