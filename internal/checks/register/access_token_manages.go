package register

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// AccessTokenManages shows the partner's ordinary access token at its own client configuration endpoint.
//
// RFC 7592 §2: all calls carry the registration access token. Some profiles have it otherwise (Open Banking UK takes a
// token of the client credentials grant there); who rides such a stack says so by an exclusion.
var AccessTokenManages = &check.Check{
	ID:       "register.access-token-manages",
	Title:    "an ordinary access token does not open the client's configuration",
	Broken:   "an ordinary access token opens the client's configuration",
	Why:      "access tokens pass through every gateway and log on their way: whoever finds one could read the client's secret, change its keys or delete it",
	Fix:      "take the registration access token alone at the client configuration endpoint",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2"), frameworks.RFC(7592, "2.1"), frameworks.API(5), frameworks.NHI(5), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-RM-04"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Twin:     defect.Set{AccessTokenManages: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		err = p.Manageable(partner)
		if err != nil {
			return err
		}
		token, err := partner.TokenWith(ctx, partner.Usual())
		if err != nil {
			return err
		}
		good, err := p.GoodSomewhere(ctx, partner, token, partner.Usual())
		if err != nil {
			return err
		}
		return p.RefusesGoodElsewhere(ctx, p.AtConfiguration(partner), good, forge.WithToken(token.Text, "the partner's access token"))
	},
}
