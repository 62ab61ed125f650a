package rotate

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// UnknownKeysFlood shows a point twenty tokens that each name another key, which nobody has published, and then a good
// one. Libraries fetch the key set on an unknown kid; those that bound the fetches often do so in front of their cache
// (seen: jwks-rsa and its JwksRateLimitError), so that whoever sends rubbish shuts everybody out.
//
// OpenID Connect Core §10.1.1 asks for the fetch, and no standard bounds it: that good tokens go on is our demand. How often the point asked the server cannot be
// seen from outside: that is for the server's own log.
var UnknownKeysFlood = &check.Check{
	ID:       "rotate.unknown-keys-flood",
	Title:    "tokens that name unknown keys are refused, and do not shut out good ones",
	Broken:   "tokens that name unknown keys shut out good ones, or are accepted",
	Why:      "anybody who can reach the point, without any credential, stops every partner; and each token may cost the authorization server a request",
	Fix:      "look into the cache of keys before the bound on fetches, bound fetches by time and not by token, and keep the old set when a fetch fails",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.OIDC("10.1.1"), frameworks.SP80053("SC-5"), frameworks.CSF("PR.IR-03")},
	Rows:     []string{"L-JW-06"},
	Severity: logbook.Medium,
	At:       check.EveryPoint,
	Alone:    true,
	Harm:     check.Load,
	Twin:     defect.Set{UnknownKidsLockOut: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Opened(ctx)
		if err != nil {
			return err
		}
		if call.Token.JWT == nil {
			return check.Opaque(p.Point, "so they name no key")
		}
		forger, err := p.Forger(ctx)
		if err != nil {
			return err
		}
		return p.Withstands(ctx, call, 20, forger.UnknownKid())
	},
}
