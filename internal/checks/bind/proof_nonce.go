package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// ProofNonce asks, where a server gives nonces for DPoP proofs, whether it insists on them: a proof without one brings the
// question for one and the nonce to use, with which the request is accepted; a nonce that the server never gave is
// refused. A server that gives none may do without.
//
// RFC 9449 §8 and §9: 400 use_dpop_nonce at the authorization server, 401 with a challenge at a resource, the nonce in
// DPoP-Nonce; a nonce that does not match MUST be refused. §11.3: once a nonce was given, a proof without one MUST NOT
// be accepted.
var ProofNonce = &check.Check{
	ID:       "bind.proof-nonce",
	Title:    "where nonces are given for DPoP proofs, proofs without one are asked for it and refused",
	Broken:   "nonces are given for DPoP proofs, and not insisted on",
	Why:      "a nonce shows that a proof was made just now; one that can be left out protects against nobody who made proofs beforehand",
	Fix:      "refuse proofs without the nonce, or with another, with use_dpop_nonce and a nonce in DPoP-Nonce",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "8"), frameworks.RFC(9449, "9"), frameworks.RFC(9449, "11.3"), frameworks.ASVS("10.3.5")},
	Rows:     []string{"L-DP-10"},
	Severity: logbook.Medium,
	At:       check.EveryDoor,
	Needs:    []check.Need{check.DPoP},
	Besides:  []*logbook.Breach{nonceUnasked},
	Twin:     defect.Set{ProofNonceOptional: true},
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
		without := call.Changed(forge.ProofWithoutNonce())
		x, answer, err := p.Do(ctx, wire.Altered, without)
		if err != nil {
			return err
		}
		brought := x.Header.Get("DPoP-Nonce") != ""
		given := good.Nonce != "" || brought
		switch {
		case answer.Decision == wire.Unknown:
			return check.CannotTell("a proof without nonce could not be decided: %s", answer.Why)
		case answer.Decision == wire.Accepted && !given:
			return check.NotApplicable("%s gives no nonces for DPoP proofs", p.Name)
		}
		asked := p.Holds("refused, for a nonce was given", answer.Decision != wire.Accepted, answer.Why)
		if !asked {
			return nil
		}
		titled := p.Besides(nonceUnasked)
		p.Holds("asked for with use_dpop_nonce and a nonce in DPoP-Nonce", brought && oauth.AsksForNonce(x), answer.Why)
		titled()
		return p.Refuses(ctx, call, forge.ProofWithNonce("checkride-never-given", "nonce that was never given"))
	},
}

// nonceUnasked is a refusal from which no library learns what to do.
var nonceUnasked = &logbook.Breach{
	Broken:   "a DPoP proof without the nonce is refused, and nobody asks for one in the words of the standard",
	Why:      "a partner's library does not know that it has to try again, and with which nonce: it is shut out when the first nonce ends",
	Fix:      "refuse with use_dpop_nonce and a nonce in DPoP-Nonce (RFC 9449 §8 and §9)",
	Severity: logbook.Low,
}
