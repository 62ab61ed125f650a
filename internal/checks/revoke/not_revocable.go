package revoke

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// NotRevocable asks whether a leaked token can be taken back at all: self-contained tokens often cannot. What remains is
// the token's own life, which is judged against the limit of each point.
//
// RFC 7009 §2 only recommends that access tokens can be revoked, and §3 leaves the risk of self-contained ones to be
// weighed: a back channel or a short life. So the plan's limits decide.
var NotRevocable = &check.Check{
	ID:       "revoke.not-revocable",
	Title:    "an access token can be revoked, or dies by itself within the point's limit",
	Broken:   "an access token cannot be revoked and outlives the limit",
	Why:      "no RFC bounds it, so the plan's limit does: a token that leaks cannot be taken back, and whoever holds it has the partner's access until it expires",
	Fix:      "let the authorization server revoke access tokens, or make them live no longer than the limit",
	Refs:     []frameworks.Ref{frameworks.RFC(7009, "2"), frameworks.RFC(7009, "2.2.1"), frameworks.RFC(7009, "3"), frameworks.NHI(7), frameworks.SP80053("AC-3(8)"), frameworks.SP80053("IA-13(3)")},
	Rows:     []string{"L-RV-01", "L-RV-13"},
	Severity: logbook.High,
	At:       check.EveryPoint,
	Takes:    check.RevokeTokens,
	Promise:  check.RevocationPromise,
	Twin:     defect.Set{JWTNotRevocable: true},
	Also:     []defect.Set{{YoungTokensSurvive: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		token, err := partner.NewToken(ctx, p.Point)
		if err != nil {
			return err
		}
		token, err = p.Dated(ctx, token)
		if err != nil {
			return err
		}
		limit, promise := p.Limits.Revocation.For(p.Point.Revocation)
		if partner.Server.Endpoints.Revocation == "" {
			return p.Exposed(token, "the server has no revocation endpoint", limit, promise)
		}
		pulse, err := p.IntrospectedPulse(ctx, token)
		if err != nil {
			return err
		}
		x, answer, err := p.Do(ctx, wire.Setup, p.AtRevocation(partner, token.Text))
		if err != nil {
			return err
		}
		switch {
		case check.Unsupported(x):
			return p.Exposed(token, "the server does not revoke it ("+answer.Why+")", limit, promise)
		case answer.Decision != wire.Accepted:
			return check.CannotTell("the revocation was not accepted: %s", answer.Why)
		case pulse == nil:
			p.Note("believed by the answer alone: the ride cannot introspect the token")
			p.Holds("it can be revoked, or dies by itself within "+limit.String(), true, "the revocation was accepted ("+answer.Why+")")
			return nil
		}
		dies, seen, err := p.Dies(ctx, pulse)
		if err != nil {
			return err
		}
		if !dies {
			return p.Exposed(token, "the revocation was accepted ("+answer.Why+") and did nothing ("+seen+")", limit, promise)
		}
		p.Holds("it can be revoked, or dies by itself within "+limit.String(), true, "revoked ("+seen+")")
		return nil
	},
}
