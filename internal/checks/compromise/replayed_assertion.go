package compromise

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

// ReplayedAssertion plays the thief who copied a client assertion from a log or a proxy and sends the same bytes again
// before it expires, each time over a connection of its own, which may lead to another replica.
//
// RFC 7523 §3(7) only lets a server remember jti: it MAY. OpenID Connect Core §9 demands jti and, unless otherwise
// agreed, a single use. So this is a finding by policy, and as grave as an assertion lives long.
var ReplayedAssertion = &check.Check{
	ID:       "compromise.replayed-assertion",
	Title:    "a client assertion gets a token once",
	Broken:   "a client assertion gets tokens more than once",
	Why:      "whoever reads an assertion on its way gets tokens as the partner until it expires; RFC 7523 leaves it to the server to prevent that, so we ask for it",
	Fix:      "remember each jti until the assertion's exp, for all replicas together, and refuse it the second time",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.OIDC("9"), frameworks.RFC(7523, "3(7)"), frameworks.NHI(4), frameworks.ASVS("10.4.16"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-CA-33", "A-CC-17"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Method("private_key_jwt")},
	Takes:    check.FailAuth,
	Twin:     defect.Set{AssertionReplay: true},
	Also:     []defect.Set{{AssertionReplayElsewhere: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.By(ctx, cast.Partner, oauth.PrivateKeyJWT)
		if err != nil {
			return err
		}
		login := p.Login(partner).Fresh()
		return p.RefusesReplay(ctx, login, func() (wire.Request, error) {
			request, err := login.Make()
			if err != nil {
				return request, err
			}
			return forge.Signed(p.Stack.Keeper, request)
		})
	},
}
