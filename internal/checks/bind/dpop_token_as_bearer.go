package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// DPoPTokenAsBearer copies a token that is bound to a key by DPoP and uses it without that key: with the scheme DPoP and
// no proof, and as a plain bearer token. The second is the way around at points that take both: the code for bearer
// tokens is older than cnf.jkt and does not look at it.
//
// RFC 9449 §7.1: access MUST NOT be granted unless proof, binding and hash are right. §7.2: whoever takes both schemes
// MUST reject a bound token that comes as a bearer token.
var DPoPTokenAsBearer = &check.Check{
	ID:       "bind.dpop-token-as-bearer",
	Title:    "a token that is bound by DPoP is refused without a proof of its key",
	Broken:   "a token that is bound by DPoP is accepted without a proof of its key",
	Why:      "whoever finds a copy of the token, in a log or at another service, uses the API as the partner: the binding protects nothing",
	Fix:      "refuse a token that has cnf.jkt unless it comes with the scheme DPoP and a proof of that key; look at cnf in the code for bearer tokens too",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "7.1"), frameworks.RFC(9449, "7.2"), frameworks.RFC(9700, "2.2.1"), frameworks.ASVS("10.3.5"), frameworks.NHI(4), frameworks.API(2)},
	Rows:     []string{"L-DP-02"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.DPoP},
	Twin:     defect.Set{DPoPTokenAsBearer: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Proven(ctx)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, call, forge.AsBearer(), forge.WithoutProof())
	},
}
