package register

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// NeighboursRegistrationToken plays the neighbour, who shows its own registration token at the partner's configuration
// URL, to read it and to delete it. The partner is one of this check's own: it may be gone afterwards.
//
// RFC 7592 §2.1 to §2.3: a token that is not this client's is refused by RFC 6750, or with 403.
var NeighboursRegistrationToken = &check.Check{
	ID:       "register.neighbours-registration-token",
	Title:    "a registration token opens the configuration of its own client alone",
	Broken:   "a registration token opens the configuration of another client",
	Why:      "any partner can read another's secret, change its keys or delete it",
	Fix:      "compare the registration access token with the one of the client that the URL names",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.1"), frameworks.RFC(7592, "2.3"), frameworks.API(1), frameworks.ASVS("8.4.1"), frameworks.SP80053("AC-3")},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Neighbour},
	Takes:    check.Delete,
	Twin:     defect.Set{AnyRegistrationToken: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		neighbour, err := p.Neighbour(ctx)
		if err != nil {
			return err
		}
		if partner.Client().RegistrationURI == "" || neighbour.Client().RegistrationToken.Empty() {
			return check.NotApplicable("%s gives its clients no configuration endpoint (RFC 7592)", p.Name)
		}
		own := p.AtConfiguration(partner)
		foreign := forge.WithToken(neighbour.Client().RegistrationToken, "read with the neighbour's registration token")
		err = p.RefusesGoodElsewhere(ctx, own, p.AtConfiguration(neighbour), foreign)
		if err != nil {
			return err
		}
		// Between the control behind the reading and one more: the client must still be there, and its token good.
		request, err := foreign.Apply(partner.Client().DeleteRequest(*partner.Server))
		if err != nil {
			return err
		}
		request.Who = neighbour.Role
		x, err := p.Send(ctx, wire.Altered, request)
		if err != nil {
			return err
		}
		const name, expected, differs = "deletion with the neighbour's registration token", "refused, and the client is unchanged", "DELETE, and whose token"
		switch decision, why := oauth.ConfigurationDecision(x); decision {
		case wire.Unknown:
			p.Case(name, logbook.Inconclusive, expected, why, differs, why)
			return nil
		case wire.Accepted:
			p.Case(name, logbook.Fail, expected, why+", deleted", differs, "")
			return nil
		default:
			err = p.Opens(ctx, own)
			if err != nil {
				return err
			}
			p.Case(name, logbook.Pass, expected, why, differs, "")
			return nil
		}
	},
}
