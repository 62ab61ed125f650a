package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// WithoutAccessToken plays the stranger who wants to be a partner without having been let in, with no initial access
// token and with one that nobody issued.
//
// RFC 7591 §3 wants registration open and lets a server protect it; that it is protected here is what the plan says by
// naming a token. RFC 7591 §3.2.2 and RFC 6750 §3.1: a bad token is refused as at any protected resource.
var WithoutAccessToken = &check.Check{
	ID:       "register.without-access-token",
	Title:    "nobody becomes a client without the initial access token",
	Broken:   "anybody becomes a client without the initial access token",
	Why:      "the plan names an initial access token, so registration is not meant to be open: without the check anybody becomes a partner, with credentials as good as those of a real one",
	Fix:      "ask for the initial access token at the registration endpoint and compare it as a whole, before anything is created",
	Refs:     []frameworks.Ref{frameworks.RFC(7591, "3"), frameworks.RFC(7591, "3.2.2"), frameworks.RFC(6750, "3.1"), frameworks.ASVS("10.4.7"), frameworks.NHI(4), frameworks.SP80053("AC-2"), frameworks.House()},
	Rows:     []string{"L-RG-02", "L-RG-03", "A-RG-01"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Twin:     defect.Set{OpenRegistration: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		if p.Stack.Plan.Registration.InitialAccessToken.Text == "" {
			return check.NotApplicable("the plan names no initial access token: registration is open by agreement (registration.initial_access_token)")
		}
		call := p.AtRegistration(ctx, cast.Partner, cast.Wish{})
		return p.Refuses(ctx, call, forge.WithoutToken(), forge.New(p.Stack.Keeper, nil).GarbageToken())
	},
}
