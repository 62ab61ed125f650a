package claims

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// NeighbourIntrospects lets another partner ask about this partner's token. The token is active for the resource server
// before and after, and the neighbour's own credentials just got it a token.
//
// RFC 7662 §2.2: of a token that is not for whoever asks, the server MUST say active false; §2.3: whoever may not ask at
// all gets 401.
var NeighbourIntrospects = &check.Check{
	ID:       "claims.neighbour-introspects",
	Title:    "a partner learns nothing about another partner's token",
	Broken:   "a partner learns about another partner's token",
	Why:      "a partner that comes by a token learns whose it is and what it opens, and can test many",
	Fix:      "let only resource servers introspect, and each only tokens that are for it",
	Refs:     []frameworks.Ref{frameworks.RFC(7662, "2.2"), frameworks.RFC(7662, "4"), frameworks.ASVS("8.4.1"), frameworks.API(5), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-IN-05", "A-CC-18"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Introspection, check.Neighbour},
	Twin:     defect.Set{IntrospectionAnyClient: true},
	Also:     []defect.Set{{IntrospectionOpen: true}}, // what tells everybody tells the neighbour
	Follows:  []string{"claims.introspection-without-authentication"},
	Run: func(ctx context.Context, p *check.Pass) error {
		asker, err := p.Introspects(ctx)
		if err != nil {
			return err
		}
		neighbour, err := p.Neighbour(ctx)
		if err != nil {
			return err
		}
		_, token, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		call, err := introspected(ctx, p, asker, token)
		if err != nil {
			return err
		}
		asks := wire.Change{Name: "asked by the neighbour", Apply: func(r wire.Request) (wire.Request, error) {
			altered := neighbour.Server.IntrospectRequest(neighbour.Client(), token.Text)
			altered.Point, altered.Who, altered.Check, altered.Purpose = r.Point, neighbour.Role, r.Check, r.Purpose
			return altered, nil
		}}
		return p.RefusesGoodElsewhere(ctx, call, p.AtToken(neighbour, neighbour.Usual()), asks)
	},
}
