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
	"github.com/checkride/checkride/internal/wire"
)

// AssertionAddressFetched logs in with assertions whose header says that their key is found at an address, and waits there
// for a visitor. Who fetches keys before the signature is looked at does so for anybody; whether such an assertion is taken
// is a matter of authenticate.assertion-brings-its-key.
//
// RFC 8725 §3.10: "Applications SHOULD protect against such attacks", of a jku or x5u which "could result in server-side
// request forgery (SSRF) attacks". OWASP API7:2023. FAPI 2.0 §5.4.2 says that neither should be used.
var AssertionAddressFetched = &check.Check{
	ID:       "authenticate.assertion-address-fetched",
	Title:    "no address in the header of a client assertion is fetched",
	Broken:   "an address in the header of a client assertion is fetched",
	Why:      "a stranger without any credential makes the authorization server call addresses inside your network",
	Fix:      "look keys up among those that are registered for the client, and read neither jku nor x5u of an assertion's header",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.10"), frameworks.API(7), frameworks.FAPI2("5.4.2"), frameworks.ASVS("9.1.3"), frameworks.SP80053("SC-7")},
	Rows:     []string{"L-CA-37"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CanaryListener, check.Method(string(oauth.PrivateKeyJWT))},
	Takes:    check.FailAuth,
	Twin:     defect.Set{AssertionAddressFetched: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		own, err := oauth.NewKey(partner.Client().Key.Alg)
		if err != nil {
			return err
		}
		by := func(member string) func(string) wire.Change {
			return func(address string) wire.Change { return forge.AssertionPointsToKey(own, member, address) }
		}
		return p.NeverFetches(ctx, p.Login(partner), oauth.JWKSet(own), by("jku"), by("x5u"))
	},
}
