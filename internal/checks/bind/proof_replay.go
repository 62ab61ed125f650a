package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// ProofReplay shows the same proof twice: at once, and at each other node that is known.
//
// RFC 9449 §11.1: servers can remember the jti of proofs for as long as these are good, which may not always be feasible
// where several servers share the work. It is no MUST: that it is asked for is our demand, and its
// absence no more than a safeguard that is missing.
var ProofReplay = &check.Check{
	ID:       "bind.proof-replay",
	Title:    "a DPoP proof is good once",
	Broken:   "a DPoP proof is good more than once",
	Why:      "whoever reads a request on its way, at a proxy or in a log, can make it again as long as its proof is young",
	Fix:      "remember the jti of each proof until its iat is too old, in one memory for all nodes, or ask for nonces that are good for a short time",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "11.1"), frameworks.House(), frameworks.ASVS("10.3.5")},
	Rows:     []string{"L-DP-08", "L-DP-09"},
	Severity: logbook.Medium,
	At:       check.EveryDoor,
	Needs:    []check.Need{check.DPoP},
	Twin:     defect.Set{ProofSeenByOneNode: true},
	Follows:  []string{"bind.dpop-token-as-bearer"}, // a point that needs no proof looks at none
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Proven(ctx)
		if err != nil {
			return err
		}
		return p.RefusesProofAgain(ctx, call)
	},
}
