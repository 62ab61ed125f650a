package issue

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// JWTBearerReplay uses an assertion that is an authorization grant twice.
//
// RFC 7523 §3(7): the server MAY keep jti values against replays. Where the plan promises that an assertion is good once,
// this holds it to that.
var JWTBearerReplay = &check.Check{
	ID:       "issue.jwt-bearer-replay",
	Title:    "a JWT bearer assertion gets a token once",
	Broken:   "a JWT bearer assertion gets tokens more than once",
	Why:      "whoever reads an assertion on its way gets tokens with it until it expires, and the plan promises that it is good once",
	Fix:      "remember each jti until the assertion's exp, for all replicas together, and refuse it the second time",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7523, "3(7)"), frameworks.NHI(4), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-XT-02"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.JWTBearerOnce},
	Twin:     defect.Set{GrantReplay: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		p.Relevant("the plan promises that an assertion is good once (grants.jwt_bearer.once)")
		call := p.AtAssertion(partner).Fresh()
		return p.RefusesReplay(ctx, call, func() (wire.Request, error) {
			request, err := call.Make()
			if err != nil {
				return request, err
			}
			return forge.SignedGrant(p.Stack.Keeper, request)
		})
	},
}
