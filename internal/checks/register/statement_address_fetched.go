package register

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

// StatementAddressFetched registers with software statements whose header says that their key is found at an address, and
// waits there for a visitor. Whether such a statement is taken is a matter of register.statement-forged.
//
// RFC 8725 §3.10: "Applications SHOULD protect against such attacks", of a jku or x5u which "could result in server-side
// request forgery (SSRF) attacks". OWASP API7:2023.
var StatementAddressFetched = &check.Check{
	ID:       "register.statement-address-fetched",
	Title:    "no address in the header of a software statement is fetched",
	Broken:   "an address in the header of a software statement is fetched",
	Why:      "whoever reaches the registration endpoint makes the authorization server call addresses inside your network",
	Fix:      "verify statements with the keys of the directory by configuration, and read neither jku nor x5u of a statement's header",
	Refs:     []frameworks.Ref{frameworks.RFC(8725, "3.10"), frameworks.API(7), frameworks.ASVS("9.1.3"), frameworks.SP80053("SC-7")},
	Rows:     []string{"L-SS-05"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.CanaryListener, check.Registration, check.DirectoryKey},
	Twin:     defect.Set{StatementAddressFetched: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		alg, err := statementAlgorithm(ctx, p)
		if err != nil {
			return err
		}
		own, err := oauth.NewKey(alg)
		if err != nil {
			return check.CannotTell("the directory signs with %s: %v", alg, err)
		}
		by := func(member string) func(string) wire.Change {
			return func(address string) wire.Change { return forge.StatementPointsToKey(own, member, address) }
		}
		return p.NeverFetches(ctx, p.AtRegistration(ctx, cast.Partner, cast.Wish{}), oauth.JWKSet(own), by("jku"), by("x5u"))
	},
}
