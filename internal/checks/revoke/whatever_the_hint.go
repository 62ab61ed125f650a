package revoke

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// WhateverTheHint revokes tokens with no hint of their type, with a wrong one and with one that nobody knows: each must
// end as with the right one. A live token is introspected with a wrong hint. Right after the last revocation a new token
// is asked for and used: a server that hands out the same token again until it expires must not hand out a revoked one.
//
// RFC 7009 §2.1 and RFC 7662 §2.1: where the hint does not help, the server MUST look among all types of tokens. RFC 7009
// §2.2.1: a type that is not supported is told, and that counts where it is the unknown one that is refused.
var WhateverTheHint = &check.Check{
	ID:       "revoke.whatever-the-hint",
	Title:    "a revocation ends its token whatever type the request hints at, and no later one",
	Broken:   "a revocation with another hint leaves its token alive, or the next token is dead as well",
	Why:      "a partner that revokes a leaked token is told 200, and the token lives on",
	Fix:      "take token_type_hint for a hint: where nothing is found, look among all other tokens",
	Refs:     []frameworks.Ref{frameworks.RFC(7009, "2.1"), frameworks.RFC(7009, "2.2.1"), frameworks.RFC(7662, "2.1"), frameworks.NHI(1), frameworks.SP80053("AC-3(8)")},
	Rows:     []string{"L-RV-05", "L-RV-12", "L-IN-07"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Takes:    check.RevokeTokens,
	Twin:     defect.Set{HintTrusted: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := revoker(ctx, p)
		if err != nil {
			return err
		}
		token, err := partner.NewToken(ctx, p.HomePoint())
		if err != nil {
			return err
		}
		opens, err := opened(ctx, p, partner, token)
		if err != nil {
			return err
		}
		dies, err := p.SeenToDie(ctx, partner, token)
		if err != nil {
			return err
		}
		err = hintedIntrospection(ctx, p, token)
		if err != nil {
			return err
		}
		x, answer, err := p.Do(ctx, wire.Control, p.AtRevocation(partner, token.Text))
		if err != nil {
			return err
		}
		if check.Unsupported(x) {
			return check.NotApplicable("the server revokes no such tokens (%s); revoke.not-revocable judges that", answer.Why)
		}
		dead, seen, err := dies(ctx, token)
		if err != nil {
			return err
		}
		if !dead {
			return check.BecauseOf("revoke.not-revocable", "with the right hint the token does not die either (%s, %s)", answer.Why, seen)
		}
		for _, hint := range []struct{ name, value string }{{"no hint", ""}, {"refresh_token", "refresh_token"}, {"an unknown type", "checkride_unknown"}} {
			token, err = partner.NewToken(ctx, p.HomePoint())
			if err != nil {
				return err
			}
			call := p.AtRevocation(partner, token.Text).With(func(r *wire.Request) {
				*r = r.WithoutForm("token_type_hint")
				if hint.value != "" {
					*r = r.SetForm("token_type_hint", hint.value)
				}
			})
			x, answer, err = p.Do(ctx, wire.Altered, call)
			if err != nil {
				return err
			}
			const expected = "the token is dead"
			name, differs := "revocation with "+hint.name, "form token_type_hint: "+hint.name
			if hint.value == "checkride_unknown" && check.Unsupported(x) {
				p.Case(name, logbook.Pass, expected, answer.Why+": the caller is told", differs, "")
				continue
			}
			dead, seen, err = dies(ctx, token)
			if err != nil {
				return err
			}
			switch {
			case dead:
				p.Case(name, logbook.Pass, expected, "answered "+answer.Why+"; "+seen, differs, "")
			case answer.Decision == wire.Unknown: // a limit on requests, or no answer at all: nobody was told that it is dead
				p.Case(name, logbook.Inconclusive, expected, "", differs, "the revocation could not be decided: "+answer.Why)
			default:
				p.Case(name, logbook.Fail, expected, "answered "+answer.Why+"; "+seen, differs, "")
			}
		}
		if !opens {
			p.Note("no point takes such tokens, so the next one was not used")
			return nil
		}
		return nextWorks(ctx, p, partner)
	},
}

// opened says whether a token of the partner opens its point: else the next one would not either.
func opened(ctx context.Context, p *check.Pass, partner *cast.Member, token oauth.Token) (bool, error) {
	point := p.HomePoint()
	if point == nil || !point.TakesTokens() {
		return false, nil
	}
	_, answer, err := p.Do(ctx, wire.Control, p.CallAt(point, p.Allowed(point), partner, token))
	return answer.Decision == wire.Accepted, err
}

// revoker gives a partner whose tokens may be revoked, shared by the checks that do no more than that.
func revoker(ctx context.Context, p *check.Pass) (*cast.Member, error) {
	if !p.Cast.Makes(cast.Partner) {
		partner, err := p.Partner(ctx)
		if err == nil && partner.Server.Endpoints.Revocation == "" {
			err = check.NotApplicable("the server has no revocation endpoint")
		}
		return partner, err
	}
	partner, err := p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{Shared: "revokes"})
	if err == nil && partner.Server.Endpoints.Revocation == "" {
		err = check.NotApplicable("the server has no revocation endpoint")
	}
	return partner, err
}

// hintedIntrospection asks about a live token with a wrong hint, where the ride may ask.
func hintedIntrospection(ctx context.Context, p *check.Pass, token oauth.Token) error {
	pulse, err := p.IntrospectedPulse(ctx, token)
	if err != nil || pulse == nil {
		return err
	}
	asker, err := p.ResourceServer(ctx)
	if err != nil {
		return err
	}
	const name, expected, differs = "introspection with refresh_token", "active, as with the right hint", "form token_type_hint: refresh_token"
	_, answer, err := p.Do(ctx, wire.Altered, p.AtIntrospection(asker, token.Text).With(func(r *wire.Request) {
		*r = r.SetForm("token_type_hint", "refresh_token")
	}))
	if err != nil {
		return err
	}
	lives, _, err := pulse(ctx)
	if err != nil {
		return err
	}
	switch {
	case !lives || answer.Decision == wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, "", differs, "the introspection could not be decided: "+answer.Why)
	case answer.Decision == wire.Accepted:
		p.Case(name, logbook.Pass, expected, answer.Why, differs, "")
	default:
		p.Case(name, logbook.Fail, expected, answer.Why, differs, "")
	}
	return nil
}

// nextWorks uses a token that was asked for right after a revocation.
func nextWorks(ctx context.Context, p *check.Pass, partner *cast.Member) error {
	const name, expected = "a new token right after", "accepted"
	point := p.HomePoint()
	token, err := partner.NewToken(ctx, point)
	if err != nil {
		return err
	}
	_, answer, err := p.Do(ctx, wire.Probe, p.CallAt(point, p.Allowed(point), partner, token))
	if err != nil {
		return err
	}
	switch answer.Decision {
	case wire.Accepted:
		p.Case(name, logbook.Pass, expected, answer.Why, "", "")
	case wire.Denied, wire.Odd:
		p.Case(name, logbook.Fail, expected, answer.Why, "", "")
	default:
		p.Case(name, logbook.Inconclusive, expected, "", "", "the call at "+point.Name+" could not be decided: "+answer.Why)
	}
	return nil
}
