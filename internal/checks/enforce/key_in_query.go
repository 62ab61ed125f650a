package enforce

import (
	"context"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// KeyInQuery shows the partner's API key in the query, under the names that frameworks know.
//
// ASVS 5.0 V14.2.1: URL and query hold nothing sensitive, such as an API key. RFC 6750 §5.3 says of bearer tokens that they
// should not stand in page URLs, which end up in histories and logs. That a point refuses keys there is our demand.
var KeyInQuery = &check.Check{
	ID:            "enforce.key-in-query",
	Title:         "an API key in the query is refused",
	Broken:        "an API key in the query is accepted",
	Why:           "addresses are written into logs at every hop: whoever reads one of them has the key, which is good until somebody ends it",
	Fix:           "take keys from the header field alone, and switch the framework's query parameter off",
	Refs:          []frameworks.Ref{frameworks.ASVS("14.2.1"), frameworks.RFC(6750, "5.3"), frameworks.House(), frameworks.NHI(2), frameworks.API(2)},
	Rows:          []string{"A-GW-12"},
	Severity:      logbook.Medium,
	At:            check.WholeStack,
	AnyCredential: true,
	Twin:          defect.Set{KeyInQuery: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		calls, err := keyed(ctx, p)
		if err != nil {
			return err
		}
		for _, call := range calls {
			p.Relevant("%s takes API keys", call.Point.Name)
			var changes []wire.Change
			for _, name := range []string{"api_key", "apikey", "key", strings.ToLower(call.Point.Header)} {
				change := forge.KeyInQuery(name)
				change.Name += " at " + call.Point.Name
				changes = append(changes, change)
			}
			err = p.Refuses(ctx, call, changes...)
			if err != nil {
				return err
			}
		}
		return nil
	},
}
