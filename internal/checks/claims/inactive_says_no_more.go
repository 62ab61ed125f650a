package claims

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// InactiveSaysNoMore has the resource server ask about what is no token: one of the right shape that never was any, and a
// good one whose signature was changed. The good one is active before and after.
//
// RFC 7662 §2.2: the server MUST say active false of a token that it does not know; it SHOULD NOT say more of it, the
// reason included. §4: it checks the signature, where there is one.
var InactiveSaysNoMore = &check.Check{
	ID:       "claims.inactive-says-no-more",
	Title:    "of what is no token, introspection says active false and nothing else",
	Broken:   "introspection calls active what is no token",
	Why:      "every point that introspects lets it in, and anybody can make such a thing",
	Fix:      "look at the whole token, signature included, before its claims are believed",
	Refs:     []frameworks.Ref{frameworks.RFC(7662, "2.2"), frameworks.RFC(7662, "4"), frameworks.ASVS("16.5.1")},
	Rows:     []string{"L-IN-03"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Introspection},
	Besides:  []*logbook.Breach{saysMore},
	Twin:     defect.Set{IntrospectionByID: true},
	Also:     []defect.Set{{InactiveExplained: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		asker, err := p.Introspects(ctx)
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
		forger, err := p.Forger(ctx)
		if err != nil {
			forger = forge.New(p.Stack.Keeper, nil)
		}
		changes := []wire.Change{forger.GarbageToken()}
		if forger.Verifies(token.Text) == nil {
			changes = append(changes, forger.Tampered()[0])
		}
		err = p.Refuses(ctx, call, changes...)
		if err != nil {
			return err
		}
		request, err := call.Make()
		if err != nil {
			return err
		}
		request, err = changes[0].Apply(request.Clone())
		if err != nil {
			return err
		}
		x, err := p.Send(ctx, wire.Altered, request)
		if err != nil {
			return err
		}
		active, told, err := oauth.ReadIntrospection(x)
		if err != nil || active {
			return nil // judged above
		}
		names := slices.Sorted(maps.Keys(told))
		defer p.Besides(saysMore)()
		p.Holds("active, and no other member", len(names) == 1, "the members are "+strings.Join(names, ", "))
		return nil
	},
}

var saysMore = &logbook.Breach{
	Broken:   "of what is no token, introspection says more than active false",
	Why:      "whoever can ask, or has taken over one resource server, learns which strings once were tokens, whose, and why they are over",
	Fix:      `answer 200 with {"active": false} alone for everything that is not active for whoever asks`,
	Severity: logbook.Medium,
}
