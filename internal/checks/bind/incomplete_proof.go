package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// IncompleteProof leaves out what a DPoP proof must have, one thing at a time, and shows two proofs and one that is no
// JWT. After each of them a good proof is accepted.
//
// RFC 9449 §4.2 names the members, §4.3 has them all checked: one header field, one well-formed JWT, all required
// claims, typ dpop+jwt. A proof without ath is good for every token of the key that comes by.
var IncompleteProof = &check.Check{
	ID:       "bind.incomplete-proof",
	Title:    "a DPoP proof that lacks what it must have is refused",
	Broken:   "a DPoP proof that lacks what it must have is accepted",
	Why:      "each member ties the proof to one request: without ath, htu or iat a proof that was seen once is good for other tokens, places and times",
	Fix:      "make the checks of RFC 9449 section 4.3 in order, and take a missing member for a wrong one",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "4.2"), frameworks.RFC(9449, "4.3"), frameworks.RFC(9449, "11.5"), frameworks.ASVS("10.3.5"), frameworks.API(2)},
	Rows:     []string{"L-DP-03", "L-DP-04", "L-DP-11"},
	Severity: logbook.High,
	At:       check.EveryDoor,
	Needs:    []check.Need{check.DPoP},
	Twin:     defect.Set{ProofHashOptional: true},
	Follows:  []string{"bind.dpop-token-as-bearer"}, // a point that needs no proof looks at none
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Proven(ctx)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, call, forge.IncompleteProofs(p.Point != nil)...)
	},
}
