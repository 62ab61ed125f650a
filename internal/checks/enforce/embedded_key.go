package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// EmbeddedKey signs the partner's token with a key of our own and puts that key into its header, or the address at which it
// is found. A point that only fetches what is there, and refuses, is a matter of enforce.token-address-fetched.
//
// RFC 8725 §3.8: the keys used to verify must belong to the issuer, and if they do not, the application MUST reject the
// JWT.
var EmbeddedKey = &check.Check{
	ID:       "enforce.embedded-key",
	Title:    "a token that brings or names its own key is refused",
	Broken:   "a token that brings or names its own key is accepted",
	Why:      "whoever makes a key makes tokens, for any partner and any scope",
	Fix:      "take keys only from the issuer's published set; ignore jwk, jku, x5c and x5u in the token's header",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.8"), frameworks.RFC(9068, "4"), frameworks.ASVS("9.1.3"), frameworks.CVE("CVE-2018-0114"), frameworks.API(2), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-GW-03", "A-TF-08", "A-TF-10", "A-TF-11"},
	Severity: logbook.Critical,
	At:       check.EveryPoint,
	Twin:     defect.Set{EmbeddedKey: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, forger, err := p.Forged(ctx)
		if err != nil {
			return err
		}
		set, err := forger.KeySet(call.Token.Text)
		if err != nil {
			return err
		}
		bait, err := p.Canary(set) // whoever follows the address must find the key there
		if err != nil {
			return err
		}
		address := "https://keys.checkride.invalid/jwks"
		if bait != nil {
			address = bait.URL()
		} else {
			p.Note("the plan has no listener at which the key could be found (canary), so who follows jku and x5u may refuse for that alone")
		}
		return p.Refuses(ctx, call, append(forger.EmbeddedKey(), forger.PointsToKey("jku", address), forger.PointsToKey("x5u", address))...)
	},
}
