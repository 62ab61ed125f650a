package bind

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// ForgedProof plays the thief of a token who has no key, or another one: proofs that nobody signed, that are signed with
// what everybody knows or with a key that they do not show, the good proof of another key, and one for another token. At
// the authorization server a good proof of another key is no forgery: it asks for another token.
//
// RFC 9449 §4.3: typ is dpop+jwt, alg is asymmetric and not none, the signature is that of jwk, jwk has no private key,
// ath is the hash of the token, and the key is the one that the token is bound to (checks 4 to 7 and 12).
var ForgedProof = &check.Check{
	ID:       "bind.forged-proof",
	Title:    "a DPoP proof that does not prove possession of the key is refused",
	Broken:   "a DPoP proof that does not prove possession of the key is accepted",
	Why:      "a proof that anybody can make turns a bound token into a bearer token: whoever copies it is the partner",
	Fix:      "verify each proof with the key that it shows, by a list of asymmetric algorithms; compare the key's thumbprint with cnf.jkt, and ath with the token's hash",
	Refs:     []frameworks.Ref{frameworks.RFC(9449, "4.3"), frameworks.RFC(9449, "7.1"), frameworks.RFC(9449, "11.6"), frameworks.RFC(8725, "3.1"), frameworks.ASVS("10.3.5"), frameworks.NHI(4), frameworks.API(2)},
	Rows:     []string{"L-DP-04", "L-DP-07"},
	Severity: logbook.Critical,
	At:       check.EveryDoor,
	Needs:    []check.Need{check.DPoP},
	Twin:     defect.Set{ProofSignatureIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, err := p.Proven(ctx)
		if err != nil {
			return err
		}
		forger := forge.New(p.Cast.Keeper(), nil)
		changes := append(forger.ForgedProofs(), forger.TalkativeProof())
		if p.Point != nil {
			another, err := call.Member.NewToken(ctx, p.Point)
			if err != nil {
				return err
			}
			changes = append(changes, forger.StrangersProof())
			if another.Text != call.Token.Text {
				changes = append(changes, forge.ProofOfToken(another, "proof for another token"))
			}
		}
		return p.Refuses(ctx, call, changes...)
	},
}
