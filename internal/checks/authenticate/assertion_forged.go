package authenticate

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
)

// AssertionForged plays a stranger who has no key of the partner: a broken signature, the key of another, one under a kid
// that nobody knows, none at all, and HS256 keyed with the public key that everybody can read.
//
// RFC 7523 §3(9): the JWT MUST be signed or carry a MAC, and an invalid one MUST be refused. RFC 8725 §3.1: the caller
// sets the algorithms, one key is for one algorithm; §3.2 is about none.
var AssertionForged = &check.Check{
	ID:       "authenticate.assertion-forged",
	Title:    "a client assertion that the key of the client did not sign gets no token",
	Broken:   "a client assertion that the key of the client did not sign gets a token",
	Why:      "a stranger is every partner that authenticates by a key",
	Fix:      "take key and algorithm from the registration of the client, never from the header of the assertion",
	Refs:     []frameworks.Ref{frameworks.RFC(7523, "3(9)"), frameworks.RFC(8725, "3.1"), frameworks.RFC(8725, "3.2"), frameworks.RFC(8725, "2.1"), frameworks.NHI(4), frameworks.ASVS("9.1.2"), frameworks.ASVS("6.8.2"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-CA-29", "L-CA-30", "L-CA-31", "L-CA-36"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method("private_key_jwt")},
	Takes:    check.FailAuth,
	Twin:     defect.Set{AssertionKeyConfusion: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		alg := partner.Client().Key.Alg
		other, err := oauth.NewKey(alg)
		if err != nil {
			return err
		}
		label := "a key that nobody registered"
		if p.Cast.Has(cast.Neighbour) {
			neighbour, err := p.Neighbour(ctx)
			if err != nil {
				return err
			}
			if key := neighbour.Client().Key; key.Signer != nil && key.Alg == alg {
				other, label = key, "the key of the neighbour"
			}
		}
		unknown, err := oauth.NewKey(alg)
		if err != nil {
			return err
		}
		changes := append(forge.AssertionAlgNone(), forge.AssertionTampered(), forge.AssertionSignedBy(other, label), forge.AssertionOfUnknownKey(unknown))
		return p.Refuses(ctx, p.Login(partner), append(changes, forge.AssertionHS256PublicKey()...)...)
	},
}
