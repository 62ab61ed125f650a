package rotate

import (
	"context"
	"fmt"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// WithdrawnSigningKey plays the day on which the server's signing key is stolen: a new key signs, the old one is taken
// out of the published set, and at every point that takes JWTs its tokens die within the agreed time. All points are
// watched at the same time. Before that, tokens by the new key must be taken everywhere, or the rotation is an outage.
//
// OpenID Connect Core §10.1.1 lets verifiers fetch the set anew when they meet an unknown kid; for a key that is gone no
// kid is unknown, and no standard bounds how long a point may trust its copy of the set. So the plan does.
var WithdrawnSigningKey = &check.Check{
	ID:       "rotate.withdrawn-signing-key",
	Title:    "tokens by a signing key that was withdrawn are refused at every point within the agreed time",
	Broken:   "a token by a withdrawn signing key is accepted beyond the agreed time",
	Why:      "whoever stole the key makes tokens for any partner with any right, and a point that keeps its copy beyond the time in the plan takes them, often until it is started anew",
	Fix:      "fetch the key set again within the agreed time and replace the old copy; never merge",
	Refs:     []frameworks.Ref{frameworks.OIDC("10.1.1"), frameworks.House(), frameworks.NHI(7), frameworks.ASVS("9.1.3"), frameworks.CSF("RS.MI-01"), frameworks.SP80053("SC-12"), frameworks.SP80053("IA-13(1)")},
	Rows:     []string{"L-JW-04", "L-JW-05", "A-RV-07", "A-RV-08"},
	Severity: logbook.Critical,
	At:       check.WholeStack,
	Needs:    []check.Need{check.Hook(plan.RotateSigningKey), check.Hook(plan.WithdrawSigningKey)},
	Alone:    true,
	Harm:     check.SharedImpact,
	Waits:    func(l plan.Limits) time.Duration { return (l.KeyWithdrawal + l.Patience).D() },
	Promise:  func(*plan.Point) string { return "limits.key_withdrawal" },
	Twin:     defect.Set{KeysNeverRefetched: true},
	Also:     []defect.Set{{TokenCache: 6 * time.Second}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		limit := p.Limits.KeyWithdrawal.D()
		kid := ""
		var points []*plan.Point
		var watched []check.Watched
		for i := range p.Cast.Plan().Points {
			point := &p.Cast.Plan().Points[i]
			if p.Cast.TokenServer(point) != p.Cast.HomeServer() || !point.TakesTokens() {
				continue
			}
			token, err := partner.NewToken(ctx, point)
			if err != nil {
				return err
			}
			if token.JWT == nil {
				p.Note("%s takes opaque tokens, which no key signs", point.Name)
				continue
			}
			call := p.CallAt(point, p.Allowed(point), partner, token)
			call.Name = point.Name
			shut := p.Opens(ctx, call)
			if shut != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			if shut != nil { // it could not be told from one that lost the key
				p.Case(point.Name, logbook.Inconclusive, "", "", "", fmt.Sprintf("%s takes no token now (rotate.signing-key-overlap says whether a rotation has shut it): %v", point.Name, shut))
				p.Where(point.Name)
				continue
			}
			another, err := partner.NewToken(ctx, point)
			if err != nil {
				return err
			}
			unused := p.CallAt(point, p.Allowed(point), partner, another)
			unused.Name = point.Name + ", never used"
			kid, _ = token.JWT.Header["kid"].(string)
			points = append(points, point)
			watched = append(watched, check.Watched{Call: call}, check.Watched{Call: unused, Sparse: true})
		}
		if len(points) == 0 {
			return check.NotApplicable("no point takes JWTs of %s", p.Cast.HomeServer())
		}
		if kid == "" {
			return check.CannotTell("the tokens name no kid, so the key cannot be named to the hook `withdraw_signing_key`")
		}
		defer p.ForgetKeys() // what was signed and fetched until now is of no use to others
		_, err = p.Hook(ctx, plan.RotateSigningKey, nil, nil)
		if err != nil {
			return err
		}
		var beside []check.Call
		for _, point := range points {
			token, err := partner.NewToken(ctx, point)
			if err != nil {
				return err
			}
			if token.JWT == nil || token.JWT.Header["kid"] == kid {
				return check.CannotTell("after the hook `rotate_signing_key` tokens are signed by the old key still")
			}
			call := p.CallAt(point, p.Allowed(point), partner, token)
			call.Name = "the token by the new key at " + point.Name
			took, answer, err := p.Becomes(ctx, call, wire.Accepted, limit)
			if err != nil {
				return err
			}
			beside = append(beside, call)
			if answer.Decision == wire.Accepted {
				p.Note("%s takes tokens by the new key after %v", point.Name, took.Round(10*time.Millisecond))
				continue
			}
			p.Case(call.Name, logbook.Inconclusive, "accepted within "+limit.String(), answer.Why, "", fmt.Sprintf("%s is not accepted within %v (%s), which rotate.signing-key-overlap is about", call.Name, limit, answer.Why))
			p.Where(point.Name)
		}
		return p.RefusedWithin(ctx, check.Withdrawal{
			What: "withdrawn signing key", Limit: limit, Promise: "limits.key_withdrawal", Beside: beside, Expires: check.TokenExpires, Cached: "revoke.token-outlives-revocation",
			Watched: func(context.Context) ([]check.Watched, error) { return watched, nil },
			All: func(ctx context.Context) (wire.Exchange, error) {
				return p.Hook(ctx, plan.WithdrawSigningKey, nil, map[string]string{"kid": kid})
			},
		})
	},
}
