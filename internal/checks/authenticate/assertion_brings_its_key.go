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

// AssertionBringsItsKey plays a stranger who signs with a key of its own and lets the assertion say which: as jwk, or in a
// certificate, in the header, or at an address that the header names. A server that only fetches what is there, and
// refuses, is a matter of authenticate.assertion-address-fetched.
//
// RFC 8725 §3.8: the keys MUST belong to the issuer of the JWT, and if they do not, it MUST be rejected: for a client
// assertion these are the keys that are registered for the client. (Seen: CVE-2018-0114.)
var AssertionBringsItsKey = &check.Check{
	ID:       "authenticate.assertion-brings-its-key",
	Title:    "a key that a client assertion brings in its own header proves nothing",
	Broken:   "a client assertion is verified with a key from its own header",
	Why:      "a stranger who knows the client_id makes a key, signs with it, and is that partner",
	Fix:      "look the key up among those that are registered for the client, and ignore jwk, jku, x5c and x5u of the header",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.8"), frameworks.RFC(7523, "3(9)"), frameworks.CVE("CVE-2018-0114"), frameworks.NHI(4), frameworks.ASVS("9.1.3"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-CA-37"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method(string(oauth.PrivateKeyJWT))},
	Takes:    check.FailAuth,
	Twin:     defect.Set{AssertionBringsKey: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		own, err := oauth.NewKey(partner.Client().Key.Alg)
		if err != nil {
			return err
		}
		bait, err := p.Canary(oauth.JWKSet(own)) // whoever follows the address must find the key there
		if err != nil {
			return err
		}
		address := "https://keys.checkride.invalid/jwks"
		if bait != nil {
			address = bait.URL()
		} else {
			p.Note("the plan has no listener at which the key could be found (canary), so who follows jku and x5u may refuse for that alone")
		}
		changes := append(forge.AssertionBringsKey(own), forge.AssertionPointsToKey(own, "jku", address), forge.AssertionPointsToKey(own, "x5u", address))
		return p.Refuses(ctx, p.Login(partner), changes...)
	},
}
