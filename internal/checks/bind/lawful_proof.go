package bind

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// LawfulProof shows proofs that are right, though not as everybody writes them: htu with a query or a fragment, which are
// ignored, and an iat as far off as clocks may differ by the plan.
//
// RFC 9449 §4.3 check 9: htu is compared without query and fragment. §11.1 has servers accept proofs for a short time,
// and says of no length; that it covers the difference of clocks by the plan is our demand.
var LawfulProof = &check.Check{
	ID:       "bind.lawful-proof",
	Title:    "a DPoP proof is accepted where it differs only in what the standard has ignored",
	Broken:   "a good DPoP proof is refused for what the standard has ignored",
	Why:      "partners whose library writes the whole URI, or whose clock is a little off, are refused now and then, and nobody finds out why",
	Fix:      "compare htu without query and fragment, and allow for the difference of clocks that is agreed",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "4.3"), frameworks.RFC(9449, "11.1"), frameworks.ASVS("10.3.5"), frameworks.House()},
	Rows:     []string{"L-DP-05", "L-DP-06"},
	Severity: logbook.Low,
	At:       check.EveryDoor,
	Needs:    []check.Need{check.DPoP},
	Twin:     defect.Set{ProofURIVerbatim: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Proven(ctx)
		if err != nil {
			return err
		}
		skew := min(p.Limits.ClockSkew.D(), 10*time.Second)
		return p.TakesAll(ctx, call,
			forge.LongURI("?page=2", "htu with a query"),
			forge.LongURI("#top", "htu with a fragment"),
			forge.ProofFrom(-skew, "proof of "+skew.String()+" ago"),
			forge.ProofFrom(skew, "proof of "+skew.String()+" from now"),
		)
	},
}
