package offboard

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// TokenOutlivesClient measures how long tokens live on after their client was deleted.
//
// RFC 7592 §2.3 says SHOULD, and only if possible: the server ends all grants and tokens of a deleted client at once. So
// it is the plan's limit that makes this critical and not the RFC.
var TokenOutlivesClient = &check.Check{
	ID:       "offboard.token-outlives-client",
	Title:    "tokens of a deleted client are refused at every enforcement point within the agreed time",
	Broken:   "a token of a deleted client is accepted beyond the agreed time",
	Why:      "a partner whose contract has ended still reads the data, longer than the plan allows; RFC 7592 only recommends that tokens end with their client",
	Fix:      "end a client's tokens when it is deleted and tell the points, or ask the server for the client's state",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.3"), frameworks.NHI(1), frameworks.CSF("GV.SC-10"), frameworks.SP80053("AC-2(3)"), frameworks.SP80053("AC-3(8)")},
	Rows:     []string{"L-OF-02", "A-RV-04"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.Deletion},
	Takes:    check.Delete,
	Waits:    func(l plan.Limits) time.Duration { return l.Deletion.D() + l.Patience.D() },
	Promise: func(point *plan.Point) string {
		if point != nil && point.Revocation == "expiry" {
			return check.RevocationPromise(point)
		}
		return "limits.deletion"
	},
	Twin:    defect.Set{DeleteKeepsTokens: true},
	Also:    []defect.Set{{FeedStopped: true}, {TokenCache: 6 * time.Second}},
	Follows: []string{"revoke.token-outlives-revocation"},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		return p.WithdrawnWithin(ctx, partner, check.Withdrawal{
			What: "token of a deleted client", Limit: p.Limits.Deletion.D(), Promise: "limits.deletion",
			All: func(ctx context.Context) (wire.Exchange, error) { return p.Delete(ctx, partner) },
		})
	},
}
