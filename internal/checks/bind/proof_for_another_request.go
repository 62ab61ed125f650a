package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// ProofForAnotherRequest shows a good proof that was made for another method, path, host or gateway. Behind a proxy that
// ends TLS a point often does not know by which host it was called, and compares the path alone: then the proof that one
// gateway saw opens the other.
//
// RFC 9449 §4.3 checks 8 and 9: htm is the method and htu the URI of the request, without query and fragment.
var ProofForAnotherRequest = &check.Check{
	ID:       "bind.proof-for-another-request",
	Title:    "a DPoP proof for another method or URI is refused",
	Broken:   "a DPoP proof for another method or URI is accepted",
	Why:      "whoever runs or reads one service that the partner calls can use the partner's proofs, while they are young, at another",
	Fix:      "tell each point the URI by which it is called from outside, and compare htm and htu with it, scheme and host too",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "4.3"), frameworks.RFC(9449, "11.1"), frameworks.ASVS("10.3.5"), frameworks.API(2)},
	Rows:     []string{"L-DP-05", "L-DP-09"},
	Severity: logbook.High,
	At:       check.EveryDoor,
	Needs:    []check.Need{check.DPoP},
	Twin:     defect.Set{ProofHostIgnored: true},
	Follows:  []string{"bind.dpop-token-as-bearer"}, // a point that needs no proof looks at none
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Proven(ctx)
		if err != nil {
			return err
		}
		changes, err := p.OtherURIs(call)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, call, changes...)
	},
}
