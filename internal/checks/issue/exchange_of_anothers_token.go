package issue

import (
	"context"
	"errors"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// ExchangeOfAnothersToken exchanges tokens that the partner must not: the neighbour's, one of another authorization server,
// forged ones and none at all; and its own with the neighbour as its actor, and without an actor where one is agreed.
// Keycloak let a client exchange what was issued to others (#11542), and took the request without a subject token for
// another one (CVE-2026-9704).
//
// RFC 8693 §2.1: the server MUST validate the subject token and the actor token. §2.2.2: what is invalid or unacceptable is
// refused with invalid_request. Whose tokens are acceptable it leaves to the server; by the plan a partner exchanges its
// own. That a server trusts another one of the plan is lawful, so such a token that is taken is no finding, and told.
var ExchangeOfAnothersToken = &check.Check{
	ID:       "issue.exchange-of-anothers-token",
	Title:    "token exchange takes good tokens of the partner itself and no others",
	Broken:   "token exchange takes tokens of others or forged ones",
	Why:      "whoever finds a token of another partner, or makes one up, turns it into a fresh one that is good as that partner, and does so again before it ends",
	Fix:      "verify subject and actor token as a point does, with issuer and signature, compare to whom they were issued with the client that asks, and demand the actor where it is agreed",
	Refs:     []frameworks.Ref{frameworks.RFC(8693, "2.1"), frameworks.RFC(8693, "2.2.2"), frameworks.RFC(8693, "4.4"), frameworks.RFC(8725, "3.8"), frameworks.NHI(4), frameworks.API(2), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-XT-01", "A-CC-14"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.TokenExchange},
	Twin:     defect.Set{ExchangeOfAnyone: true},
	Also:     []defect.Set{{ExchangeUnverified: true}, {ActorIgnored: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, subject, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		good, err := p.AtExchange(ctx, partner, subject)
		if err != nil {
			return err
		}
		p.Relevant("the plan names token exchange (grants.token_exchange)")
		forgeries := []wire.Change{forge.WithoutSubject()}
		forger, err := p.Forger(ctx)
		if err != nil {
			return err
		}
		err = forger.Verifies(subject.Text)
		var opaque *forge.OpaqueToken
		switch {
		case errors.As(err, &opaque):
			p.Note("the tokens are no JWTs, so none was forged")
			forgeries = append(forgeries, forge.Exchanging(oauth.SubjectMember, p.Stack.Keeper.Keep("garbage token", "checkride-"+partner.ID()), "a subject token that nobody issued"))
		case err != nil:
			p.Note("no subject token was forged: %v", err)
		default:
			forgeries = append(forgeries, forger.ForgedSubjects()...)
		}
		if p.Stack.Plan.Grants.Exchange.Actor == "required" {
			forgeries = append(forgeries, forge.WithoutActor())
		}
		err = p.Refuses(ctx, good, forgeries...)
		if err != nil {
			return err
		}
		err = othersAtHome(ctx, p, good)
		if err != nil {
			return err
		}
		return othersElsewhere(ctx, p, partner, good)
	},
}

// othersAtHome shows the neighbour's token as subject and as actor.
func othersAtHome(ctx context.Context, p *check.Pass, good check.Call) error {
	if !p.Cast.Has(cast.Neighbour) {
		p.Note("no token of another partner was tried: the plan has no neighbour (clients.neighbour)")
		return nil
	}
	neighbour, err := p.Neighbour(ctx)
	if err != nil {
		return err
	}
	token, err := neighbour.Token(ctx, p.HomePoint())
	if err != nil {
		return err
	}
	elsewhere, err := p.GoodSomewhere(ctx, neighbour, token, neighbour.Usual())
	if err != nil {
		return err
	}
	err = p.RefusesGoodElsewhere(ctx, good, elsewhere, forge.Exchanging(oauth.SubjectMember, token.Text, "a subject token of the neighbour"))
	if err != nil || p.Stack.Plan.Grants.Exchange.Actor == "none" {
		return err
	}
	return p.RefusesGoodElsewhere(ctx, good, elsewhere, forge.Exchanging(oauth.ActorMember, token.Text, "an actor token of the neighbour"))
}

// othersElsewhere shows a real token of another authorization server.
func othersElsewhere(ctx context.Context, p *check.Pass, partner *cast.Member, good check.Call) error {
	for _, server := range p.Stack.Plan.Servers() {
		if !p.Cast.CanJoin(server) {
			continue
		}
		member, err := p.Cast.At(ctx, server, partner)
		if err != nil {
			return err
		}
		wish := partner.Usual()
		token, err := member.TokenWith(ctx, wish)
		if err != nil {
			return err
		}
		elsewhere, err := p.GoodSomewhere(ctx, member, token, wish)
		if err != nil {
			return err
		}
		name := "a subject token of " + server
		err = p.Opens(ctx, elsewhere)
		if err != nil {
			return err
		}
		answer, differs, err := p.Answered(ctx, good, forge.Exchanging(oauth.SubjectMember, token.Text, name))
		if err != nil {
			return err
		}
		if answer.Decision == wire.Accepted { // RFC 8693 §2.1 names no issuer that a server must not trust
			p.Case(name, logbook.Inconclusive, "refused", "", differs, "it is taken ("+answer.Why+"): lawful if "+p.Name+" is to trust "+server+", which the plan does not say")
			return nil
		}
		p.Decides(name, "refused", differs, answer.Decision, answer.Why)
		return nil
	}
	return nil
}
