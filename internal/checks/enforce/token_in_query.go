package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// TokenInQuery shows the partner's good token in the query and not in the header. Beside it the token is shown in both: who
// takes that has mostly not looked at the query, which is told and not held against anybody.
//
// RFC 6750 §2.3 advises against the query, since URLs are logged, and §5.3 has tokens not be passed in page URLs; RFC 9700
// §4.3.2: clients MUST NOT pass access tokens in the query. FAPI 2.0 §5.3.4 has resource servers not take them there; that
// others do not either is our demand. RFC 6750 §2 and §3.1: of a token that is sent in two ways 400 SHOULD be answered.
var TokenInQuery = &check.Check{
	ID:       "enforce.token-in-query",
	Title:    "an access token in the query is refused",
	Why:      "every proxy on the way writes addresses into its log: whoever reads one of them has the token",
	Fix:      "take tokens from the Authorization header alone, and leave access_token in the query unread",
	Refs:     []frameworks.Ref{frameworks.RFC(6750, "2.3"), frameworks.RFC(6750, "5.3"), frameworks.RFC(9700, "4.3.2"), frameworks.FAPI2("5.3.4"), frameworks.House(), frameworks.ASVS("14.2.1")},
	Rows:     []string{"L-GW-08", "A-GW-12"},
	Severity: logbook.Medium,
	At:       check.EveryPoint,
	Twin:     defect.Set{QueryToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		answer, _, err := p.Answered(ctx, call, tokenInBoth())
		if err != nil {
			return err
		}
		if answer.Decision == wire.Accepted {
			p.Note("a token in the header and in the query is taken, where RFC 6750 §3.1 has 400; by which of the two is not seen")
		}
		return p.Refuses(ctx, call, forge.TokenInQuery())
	},
}
