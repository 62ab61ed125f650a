package issue

import (
	"context"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// ExchangeNeverWidens exchanges the partner's token for one with scopes that it must not get, and for one that is for a
// target which nobody serves. An exchange as the plan describes it is accepted before and after, and brings no more either.
//
// RFC 8693 §2.2.2: where the server is unwilling or unable to issue a token for the target, it should answer
// invalid_target. What scopes mean it leaves to the service (§2.1); which of them the partner must not get, the plan says.
var ExchangeNeverWidens = &check.Check{
	ID:       "issue.exchange-never-widens",
	Title:    "token exchange brings no scope beyond the agreement and no audience that nobody serves",
	Broken:   "token exchange brings more than the agreement has",
	Why:      "the grant is checked where tokens are first issued, and an exchange of such a token goes around it: a partner that may read comes back with a token that may write, or with one that an internal service takes",
	Fix:      "bound an exchanged token by the scope of its subject token and by what the client may have, and its audience by a list",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(8693, "2.1.1"), frameworks.RFC(8693, "2.2.2"), frameworks.RFC(9700, "2.3"), frameworks.NHI(5), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-XT-01"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.TokenExchange},
	Besides:  []*logbook.Breach{check.SilentScope},
	Twin:     defect.Set{ExchangeWidens: true},
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
		err = p.Opens(ctx, good)
		if err != nil {
			return err
		}
		const nowhere = "https://checkride-nowhere.example/api"
		target := "audience"
		if p.Stack.Plan.Grants.Exchange.Audience == "" {
			target = "resource"
		}
		beyond := p.Stack.Plan.Agreement.Unentitled
		if len(beyond) == 0 {
			p.Note("the plan names no scope that the partner must not get (agreement.unentitled_scopes), so none was asked for")
		}
		for _, one := range []struct {
			name, differs string
			alter         func(wire.Request) wire.Request
		}{
			{"as the plan describes it", "", func(r wire.Request) wire.Request { return r }},
			{"for a target that nobody serves", "form " + target + ": " + nowhere, func(r wire.Request) wire.Request { return r.SetForm(target, nowhere) }},
			{"for scopes that the partner must not get", "form scope: also " + strings.Join(beyond, " "), func(r wire.Request) wire.Request {
				return r.SetForm("scope", strings.Join(append(slices.Clone(partner.Plan.Scopes), beyond...), " "))
			}},
		} {
			if len(beyond) == 0 && strings.Contains(one.differs, "scope") {
				continue
			}
			err = bringsNoMore(ctx, p, partner, good, one.name, one.differs, nowhere, one.alter)
			if err != nil {
				return err
			}
		}
		return p.Opens(ctx, good)
	},
}

func bringsNoMore(ctx context.Context, p *check.Pass, partner *cast.Member, good check.Call, name, differs, nowhere string, alter func(wire.Request) wire.Request) error {
	const expected = "refused, or a token with no more than the agreement has"
	request, err := good.Make()
	if err != nil {
		return err
	}
	got, err := p.Brings(ctx, partner, partner.ExchangeWish(), alter(request))
	if err != nil {
		return err
	}
	if p.NotAccepted(name, expected, differs, got.Decision, got.Why) {
		return nil
	}
	if _, told := got.Exchange.JSON("/issued_token_type"); !told {
		p.Note("the answer has no issued_token_type, which RFC 8693 §2.2.1 requires")
	}
	told, err := p.ScopesOf(ctx, got.Token)
	if err != nil {
		return err
	}
	audience, err := audienceOf(ctx, p, got.Token)
	if err != nil {
		return err
	}
	found := check.Beyond(told, p.Stack.Plan.Agreement.Unentitled)
	switch {
	case found != "":
		p.Case(name, logbook.Fail, expected, "a token with "+found, differs, "")
	case slices.Contains(audience, nowhere):
		p.Case(name, logbook.Fail, expected, "a token with aud "+strings.Join(audience, ", "), differs, "")
	case audience == nil && got.Token.JWT == nil && strings.Contains(differs, nowhere):
		p.Case(name, logbook.Inconclusive, expected, "", differs, "a token came, and neither it nor introspection tells for whom it is")
	case len(told) == 0 && strings.Contains(differs, "scope"): // RFC 6749 §5.1: scope may be left out only if it is what was asked
		defer p.Besides(check.SilentScope)()
		p.Case(name, logbook.Fail, expected, "a token whose answer tells no scope, and nobody else does", differs, "")
	default:
		p.Case(name, logbook.Pass, expected, "a token with no more than before", differs, "")
	}
	return nil
}
