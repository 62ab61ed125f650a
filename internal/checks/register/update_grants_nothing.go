package register

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// UpdateGrantsNothing lets a client update its registration with what it would not get by registering: a scope beyond
// the agreement, more grants, no authentication, and a secret of its own choice. Each is refused, or replaced and told so,
// and what is told is tried.
//
// RFC 7592 §2.2: a client must not be allowed to choose its own new secret. §3: the server MAY reject or replace the rest,
// and tells what is registered; that it does is our demand. (Seen: metadata is filtered where clients are made, and the
// update goes straight to the store.)
var UpdateGrantsNothing = &check.Check{
	ID:       "register.update-grants-nothing",
	Title:    "a client gets nothing by an update that it would not get by registering",
	Broken:   "a client gets tokens with scopes by an update that it would not get by registering",
	Why:      "a partner that was let in with little takes the rest itself a minute later, and the review of its registration saw nothing of it",
	Fix:      "judge the metadata of an update by the same rules as those of a registration",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.2"), frameworks.RFC(7592, "3"), frameworks.House(), frameworks.API(3), frameworks.NHI(5), frameworks.ASVS("10.4.11"), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-RM-08", "L-RM-09"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Besides:  []*logbook.Breach{moreOnPaper, secretChosen, check.SilentScope},
	Twin:     defect.Set{UpdateUnfiltered: true},
	Also:     []defect.Set{{UpdateTakesSecret: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Newcomer(ctx, cast.Partner, cast.Wish{})
		if err != nil {
			return err
		}
		err = p.Manageable(partner)
		if err != nil {
			return err
		}
		beyond := p.Stack.Plan.Agreement.Unentitled
		if len(beyond) > 0 {
			unbound, err := exceeds(ctx, p, partner, beyond)
			if err != nil {
				return err
			}
			scopes := append(slices.Clone(partner.Plan.Scopes), beyond...)
			taken, err := tried(ctx, p, partner, "scope beyond the agreement", "scope", strings.Join(scopes, " "), func(now string) bool {
				return slices.ContainsFunc(strings.Fields(now), func(scope string) bool { return slices.Contains(beyond, scope) })
			})
			if err != nil {
				return err
			}
			if taken && !unbound {
				err = p.NeverGrants(ctx, partner, beyond)
				if err != nil {
					return err
				}
			}
		} else {
			p.Note("the plan names no scope that the partner must not get (agreement.unentitled_scopes), so none was asked for")
		}
		more, exchanges := append(p.Stack.Plan.GrantTypes(), "password"), p.Stack.Plan.Grants.Exchange != nil
		if !exchanges {
			more = append(more, plan.GrantTokenExchange)
		}
		_, err = tried(ctx, p, partner, "more grants", "grant_types", more, func(now string) bool {
			return strings.Contains(now, "password") || !exchanges && strings.Contains(now, plan.GrantTokenExchange)
		})
		if err != nil {
			return err
		}
		_, err = tried(ctx, p, partner, "no authentication", "token_endpoint_auth_method", string(oauth.None), func(now string) bool { return now == string(oauth.None) })
		if err != nil {
			return err
		}
		return ownSecret(ctx, p)
	},
}

// moreOnPaper is what reading the registration tells; what of it holds, another request must show.
var moreOnPaper = &logbook.Breach{
	Broken:   "a client is registered by an update with scopes, grants or a method that registering would not give it",
	Why:      "a partner that was let in with little writes the rest into its registration itself, and the review of it saw nothing of that",
	Fix:      "judge the metadata of an update by the same rules as those of a registration",
	Severity: logbook.High,
}

// secretChosen breaks RFC 7592 §2.2, and needs nobody but the client itself.
var secretChosen = &logbook.Breach{
	Broken:   "a client chooses its own secret by an update",
	Why:      "what people choose is short, is used elsewhere, and can be guessed",
	Fix:      "let the server alone make secrets, and refuse an update with another client_secret than the current one",
	Severity: logbook.High,
}

// tried updates one member of a client's metadata, and tells whether the update was accepted, with the member as it was
// sent or another.
func tried(ctx context.Context, p *check.Pass, partner *cast.Member, name, member string, value any, excess func(now string) bool) (bool, error) {
	const expected = "refused, or replaced and told"
	err := p.Opens(ctx, p.AtConfiguration(partner))
	if err != nil {
		return false, err
	}
	got, err := p.TryUpdate(ctx, partner, map[string]any{member: value})
	switch {
	case err != nil:
		return false, err
	case got.Decision == wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, got.Why, member, got.Why)
		return false, nil
	}
	read, _, err := p.Read(ctx, partner) // the control after a refusal, and what holds after an acceptance
	if err != nil {
		return false, err
	}
	now, told := read[member]
	switch {
	case told && excess(spelled(now)):
		by, err := p.Register(ctx, wire.Setup, cast.Partner, cast.Wish{Metadata: map[string]any{member: value}})
		if err != nil {
			return false, err
		}
		if by.Decision == wire.Unknown {
			p.Case(name, logbook.Inconclusive, expected, "", member, "the update gives it, and whether registering does could not be decided: "+by.Why)
			return false, nil
		}
		if asked := by.Member.Client().Registered[member]; by.Decision == wire.Accepted && excess(spelled(asked)) {
			p.Case(name, logbook.NotApplicable, expected, "", member, "registering gives it as well, so the update adds nothing: see register.excess-scope, register.excess-grants and register.public-client")
			return false, nil
		}
		defer p.Besides(moreOnPaper)()
		p.Case(name, logbook.Fail, expected, got.Why+"; registered with "+spelled(now), member, "")
	case got.Decision != wire.Accepted:
		p.Case(name, logbook.Pass, expected, got.Why, member, "")
	case told:
		p.Case(name, logbook.Pass, expected, got.Why+"; registered with "+spelled(now), member, "")
	case member == "scope": // tokens will tell
		p.Note("the update was accepted, and no answer tells which scope is registered")
	default:
		p.Case(name, logbook.Inconclusive, expected, "", member, "the update was accepted, and no answer tells "+member)
	}
	return got.Decision == wire.Accepted, nil
}

// exceeds tells whether a client gets tokens with scopes that it has not registered: then no registration bounds them, and
// another check says so.
func exceeds(ctx context.Context, p *check.Pass, member *cast.Member, beyond []string) (bool, error) {
	if len(beyond) == 0 {
		return false, nil
	}
	wish := member.Usual()
	wish.Scopes = append(slices.Clone(member.Plan.Scopes), beyond...)
	got, err := p.Issue(ctx, wire.Setup, member, wish)
	if err != nil || got.Decision != wire.Accepted {
		return false, err
	}
	told, err := p.ScopesOf(ctx, got.Token)
	if err != nil || check.Beyond(told, beyond) == "" {
		return false, err
	}
	p.Note("tokens carry scopes that no registration gives, so what a registration binds cannot be seen: see issue.scope-beyond-entitlement")
	return true, nil
}

// ownSecret lets a client choose its new secret, and tries it.
func ownSecret(ctx context.Context, p *check.Pass) error {
	const name, expected, differs = "a secret of its own choice", "refused, or replaced by another", "client_secret"
	defer p.Besides(secretChosen)()
	methods, err := p.Methods(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(methods, func(m oauth.Method) bool { return m == oauth.ClientSecretBasic || m == oauth.ClientSecretPost })
	if i < 0 {
		p.Note("no partner authenticates by a secret at %s, so none was chosen", p.Cast.HomeServer())
		return nil
	}
	partner, err := p.Newcomer(ctx, cast.Partner, cast.Wish{Auth: methods[i]})
	if err != nil {
		return err
	}
	if got := partner.Client().Auth; got != methods[i] {
		p.Note("%s registers %s where %s is asked for, so no secret was chosen", p.Cast.HomeServer(), got, methods[i])
		return nil
	}
	plain := "chosen-" + rand.Text() + rand.Text()
	chosen := p.Stack.Keeper.Keep("chosen secret", plain)
	got, err := p.TryUpdate(ctx, partner, map[string]any{"client_secret": plain})
	switch {
	case err != nil:
		return err
	case got.Decision == wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, got.Why, differs, got.Why)
		return nil
	}
	given := partner.Client().Secret
	partner.Change(func(client *oauth.Client) { client.Secret = chosen })
	login := p.Login(partner)
	login.Name = "a login by the chosen secret"
	_, answer, err := p.Do(ctx, wire.Altered, login)
	if err != nil {
		return err
	}
	if given == chosen {
		outcome, because := logbook.Fail, ""
		if answer.Decision != wire.Accepted {
			outcome, because = logbook.Inconclusive, "the answer tells the chosen secret as the client's, and it gets no token: "+answer.Why
		}
		p.Case(name, outcome, expected, got.Why+"; the answer tells it as the client's secret", differs, because)
		return nil
	}
	partner.Change(func(client *oauth.Client) { client.Secret = given })
	switch answer.Decision {
	case wire.Accepted:
		p.Case(name, logbook.Fail, expected, got.Why+"; it gets tokens: "+answer.Why, differs, "")
	case wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, answer.Why, differs, answer.Why)
	default:
		err = p.Opens(ctx, p.Login(partner))
		if err != nil {
			return err
		}
		p.Case(name, logbook.Pass, expected, got.Why+"; it gets no token: "+answer.Why, differs, "")
	}
	return nil
}
