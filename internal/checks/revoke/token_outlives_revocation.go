package revoke

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// TokenOutlivesRevocation measures how long a revoked token lives on. A gateway that caches introspection, or checks
// JWTs offline, keeps it alive.
//
// RFC 7009 §2.1: "In practice, there could be a propagation delay, for example, in which some servers know about the
// invalidation while others do not. Implementations should minimize that window". It sets no bound, so the plan does.
var TokenOutlivesRevocation = &check.Check{
	ID:       "revoke.token-outlives-revocation",
	Title:    "a revoked access token is refused at every enforcement point within the agreed time",
	Broken:   "a revoked access token is accepted beyond the agreed time",
	Why:      "whoever holds a leaked token keeps the partner's access beyond the limit in the plan, until every cache has forgotten it",
	Fix:      "shorten the introspection cache, or push revocations to the point",
	Refs:     []frameworks.Ref{frameworks.RFC(7009, "2.1"), frameworks.NHI(1), frameworks.CSF("PR.AA-05"), frameworks.Tenet(6), frameworks.SP80053("AC-3(8)"), frameworks.NHI(7), frameworks.FAPI2("5.3.4-3"), frameworks.ASVS("8.3.2"), frameworks.SP80053("IA-13(3)")},
	Rows:     []string{"L-RV-01", "L-RV-09", "L-RV-10", "L-RV-11", "A-RV-01", "A-RV-02", "A-MG-07"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Takes:    check.RevokeTokens,
	Waits:    func(l plan.Limits) time.Duration { return l.Revocation.Longest() + l.Patience.D() },
	Promise:  check.RevocationPromise,
	Twin:     defect.Set{TokenCache: 6 * time.Second},
	Also:     []defect.Set{{FeedStopped: true}, {YoungTokensSurvive: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		return p.RevocationWithin(ctx, "revoked token", partner, func(ctx context.Context, call check.Call) (wire.Exchange, error) {
			request := partner.Server.RevokeRequest(partner.Client(), call.Token.Text, "access_token")
			x, err := p.Send(ctx, wire.Setup, request)
			if err != nil {
				return x, err
			}
			if check.Unsupported(x) {
				return x, check.BecauseOf("revoke.not-revocable", "the server cannot revoke this token (unsupported_token_type)")
			}
			if decision, why := oauth.RevocationDecision(x); decision != wire.Accepted {
				return x, check.CannotTell("the revocation was not accepted: %s", why)
			}
			return x, nil
		})
	},
}
