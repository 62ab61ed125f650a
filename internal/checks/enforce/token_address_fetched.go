package enforce

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// TokenAddressFetched shows tokens whose header says that their key is found at an address, and waits there for a visitor.
// Who fetches keys before the signature is looked at does so for anybody; whether such a token is taken is a matter of
// enforce.embedded-key.
//
// RFC 8725 §3.10: "Applications SHOULD protect against such attacks", of a jku or x5u which "could result in server-side
// request forgery (SSRF) attacks". OWASP API7:2023.
var TokenAddressFetched = &check.Check{
	ID:       "enforce.token-address-fetched",
	Title:    "no address in the header of a token is fetched",
	Broken:   "an address in the header of a token is fetched",
	Why:      "a stranger without any credential makes the point call addresses inside your network, as often as they like",
	Fix:      "take keys from the issuer's configured address alone, and read neither jku nor x5u of a token's header",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.10"), frameworks.API(7), frameworks.ASVS("9.1.3"), frameworks.SP80053("SC-7")},
	Rows:     []string{"A-TF-10", "A-TF-11"},
	Severity: logbook.High,
	At:       check.EveryPoint,
	Needs:    []check.Need{check.CanaryListener},
	Twin:     defect.Set{TokenAddressFetched: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		call, forger, err := p.Forged(ctx)
		if err != nil {
			return err
		}
		set, err := forger.KeySet(call.Token.Text)
		if err != nil {
			return err
		}
		by := func(member string) func(string) wire.Change {
			return func(address string) wire.Change { return forger.PointsToKey(member, address) }
		}
		return p.NeverFetches(ctx, call, set, by("jku"), by("x5u"))
	},
}
