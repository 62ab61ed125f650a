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

// ReducedRole takes a role away while a token that carries it lives, and asks for the operation that needs it. A role is
// what a scope is not: the business gives it, and tokens carry it whatever the client asks for (RFC 9068 §2.2.3.1). A token
// that is issued afterwards must not open the operation either.
//
// No RFC says how soon a token must lose a role: the plan sets the limit.
var ReducedRole = &check.Check{
	ID:       "revoke.reduced-role",
	Title:    "a role that was taken away opens nothing after the agreed time, with old tokens and with new ones",
	Broken:   "a role that was taken away lives on beyond the agreed time",
	Why:      "beyond the time in the plan, and until its tokens expire, the partner acts in a role that somebody decided to take",
	Fix:      "end the tokens of a client when its roles shrink, or look the roles up at each call; make tokens short-lived",
	Refs:     []frameworks.Ref{frameworks.Tenet(6), frameworks.RFC(9068, "2.2.3"), frameworks.ASVS("8.3.2"), frameworks.SP80053("AC-3(8)"), frameworks.NHI(5), frameworks.House()},
	Rows:     []string{"L-EN-01"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{roleHere, check.Hook(plan.TakeRole)},
	Takes:    check.Rotate,
	Waits:    func(l plan.Limits) time.Duration { return l.Entitlement.D() + l.Patience.D() },
	Promise:  func(*plan.Point) string { return "limits.entitlement" },
	Twin:     defect.Set{RoleKeepsTokens: true},
	Also:     []defect.Set{{ScopeIgnored: true}, {FeedStopped: true}, {TokenCache: 6 * time.Second}},
	Follows:  []string{"revoke.token-outlives-revocation"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		if !partner.Own && !p.Cast.HasHook(plan.GiveRole) {
			return check.CannotTell("needs hook `give_role`: a given partner must get its role back")
		}
		operation := p.Point.Operations[roleOperation(p.Point)]
		role := operation.Roles[0]
		values := map[string]string{"role": role}
		if !partner.Own {
			defer func() {
				partner.ForgetTokens() // the others need living ones
				_, restored := p.Hook(context.WithoutCancel(ctx), plan.GiveRole, partner, values)
				if restored != nil {
					p.Note("the role could not be given back: %v", restored)
					p.Cast.Spend(partner, "did not get its role back from "+p.Check.ID)
				}
			}()
		}
		err = p.WithdrawnWithin(ctx, partner, check.Withdrawal{
			What: "token with the role " + role + " that was taken away", Limit: p.Limits.Entitlement.D(), Promise: "limits.entitlement",
			Mint: func(ctx context.Context) (check.Call, error) {
				token, err := partner.NewToken(ctx, p.Point)
				return p.CallAt(p.Point, operation, partner, token), err
			},
			All: func(ctx context.Context) (wire.Exchange, error) { return p.Hook(ctx, plan.TakeRole, partner, values) },
		})
		if err != nil {
			return err
		}
		if p.Point.Revocation == "expiry" { // there nothing was taken yet
			_, err = p.Hook(ctx, plan.TakeRole, partner, values)
			if err != nil {
				return err
			}
		}
		other := p.Allowed(p.Point)
		if slices.Contains(other.Roles, role) {
			return nil // nothing is open without the role, so nothing could show that the new token is good
		}
		token, err := partner.NewToken(ctx, p.Point)
		if err != nil {
			return err
		}
		good, gone := p.CallAt(p.Point, other, partner, token), p.CallAt(p.Point, operation, partner, token)
		if p.Point.Revocation == "expiry" { // nothing was waited for there: the server has the agreed time to learn of it
			_, answer, err := p.Do(ctx, wire.Probe, gone)
			if err != nil {
				return err
			}
			if answer.Decision == wire.Accepted {
				err = p.Wait(ctx, p.Limits.Entitlement.D())
				if err != nil {
					return err
				}
				token, err = partner.NewToken(ctx, p.Point)
				if err != nil {
					return err
				}
				good, gone = p.CallAt(p.Point, other, partner, token), p.CallAt(p.Point, operation, partner, token)
			}
		}
		gone.Name = "a token that was issued after the role was taken"
		return p.Dead(ctx, &good, gone)
	},
}

var roleHere = check.Need{Name: "an operation that needs a role", Has: func(_ *plan.Plan, at *plan.Point) (check.Missing, string, string) {
	if at != nil && roleOperation(at) >= 0 {
		return check.Present, "", ""
	}
	return check.Absent, "no operation here needs a role (operations.roles)", ""
}}

// roleOperation is the number of an allowed operation that needs a role, or -1.
func roleOperation(point *plan.Point) int {
	return slices.IndexFunc(point.Operations, func(o plan.Operation) bool { return !o.Deny && len(o.Roles) > 0 })
}
