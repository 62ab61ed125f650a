package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// UnsignedToken takes the signature away, with the algorithm as it was and with none in its spellings.
//
// RFC 9068 §2.1: access tokens MUST be signed and none MUST NOT be used; RFC 8725 §3.1 has only algorithms used that the
// verifier was set up for, whatever the token says.
var UnsignedToken = &check.Check{
	ID:       "enforce.unsigned-token",
	Title:    "a token without a signature is refused, however it spells that it has none",
	Broken:   "a token without a signature is accepted",
	Why:      "everybody can write such a token, for any partner and any scope",
	Fix:      "name the accepted algorithms in the configuration of the verifier; a list of forbidden ones misses spellings",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.1"), frameworks.RFC(8725, "3.2"), frameworks.RFC(9068, "2.1"), frameworks.ASVS("9.1.2"), frameworks.API(2), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-GW-03", "A-TF-03", "A-TF-04"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Twin:     defect.Set{AlgNone: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, forger, err := p.Forged(ctx)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, call, forger.Unsigned()...)
	},
}
