package bind

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// StaleProof shows proofs of an hour ago and of an hour from now; where the server gives nonces, without one, as proofs
// are that were made beforehand: with one the nonce tells the time, and iat need not.
//
// RFC 9449 §4.3 check 11: the time of making, by iat or by a nonce, is within an acceptable window. §11.1: proofs MUST be accepted for a limited time only; §11.2
// is about proofs that were made beforehand, for which a time in the future is what one takes.
var StaleProof = &check.Check{
	ID:       "bind.stale-proof",
	Title:    "a DPoP proof of an hour ago, or of an hour from now, is refused",
	Broken:   "a DPoP proof of an hour ago, or of an hour from now, is accepted",
	Why:      "whoever had the partner's key for a moment, or found an old proof in a log, needs the key no more",
	Fix:      "refuse proofs whose iat is more than a minute or so away from now, on either side, or ask for a nonce",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "4.3"), frameworks.RFC(9449, "11.1"), frameworks.RFC(9449, "11.2"), frameworks.ASVS("10.3.5"), frameworks.API(2)},
	Rows:     []string{"L-DP-06"},
	Severity: logbook.High,
	At:       check.EveryDoor,
	Needs:    []check.Need{check.DPoP},
	Twin:     defect.Set{ProofAgeIgnored: true},
	Follows:  []string{"bind.dpop-token-as-bearer"}, // a point that needs no proof looks at none
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Proven(ctx)
		if err != nil {
			return err
		}
		good, _, err := p.Do(ctx, wire.Control, call)
		if err != nil {
			return err
		}
		made := forge.ProofFrom
		if good.Nonce != "" {
			made = forge.ProofBeforeNonce
		}
		return p.Refuses(ctx, call, made(-time.Hour, "proof of an hour ago"), made(time.Hour, "proof of an hour from now"))
	},
}
