package issue

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// JWTBearerAssertion asks for tokens by assertions that prove nothing: of another issuer, for another server, expired, not
// good yet, and with a signature that is not the issuer's. Keycloak's older token exchange takes tokens of an
// issuer that it trusts whomever they are for (#51000), so that what another application was given opens this one.
//
// RFC 7523 §3: (1) iss, (2) sub and (3) aud MUST be there and aud name this server, (4) exp MUST lie ahead, (9) a bad
// signature MUST be rejected; §3.1: the error is invalid_grant.
var JWTBearerAssertion = &check.Check{
	ID:       "issue.jwt-bearer-assertion",
	Title:    "a JWT bearer assertion gets a token only if the trusted issuer made it, for this server and for now",
	Broken:   "a JWT bearer assertion that proves nothing gets a token",
	Why:      "whoever makes up an assertion, or has one that was meant for another server, gets tokens as anybody whom it names",
	Fix:      "look up the issuer in your configuration, verify the signature with its keys and a fixed list of algorithms, and compare aud, exp and nbf",
	Refs:     []frameworks.Ref{frameworks.RFC(7523, "2.1"), frameworks.RFC(7523, "3"), frameworks.RFC(7523, "3.1"), frameworks.RFC(8725, "3.8"), frameworks.RFC(8725, "3.9"), frameworks.NHI(4), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-XT-02"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.JWTBearer},
	Twin:     defect.Set{GrantAudienceIgnored: true},
	Also:     []defect.Set{{GrantUnverified: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		p.Relevant("the plan names the JWT bearer grant (grants.jwt_bearer)")
		own, err := p.Cast.NewKey(p.Cast.GrantKey().Alg)
		if err != nil {
			return err
		}
		return p.Refuses(ctx, p.AtAssertion(partner), slices.Concat(forge.ForgedGrants(own), forge.GrantsOfAnotherIssuer(own), forge.UnfitGrants())...)
	},
}
