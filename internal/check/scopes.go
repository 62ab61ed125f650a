package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// WithSeveralScopes gives a member with two scopes or more, so that it can ask for a part of them: the partner, else the
// neighbour. It is nil where there is none.
func (p *Pass) WithSeveralScopes(ctx context.Context) (*cast.Member, error) {
	for _, role := range []string{cast.Partner, cast.Neighbour} {
		described, ok := p.Cast.Client(role)
		if ok && len(described.Scopes) > 1 {
			return p.Cast.Member(ctx, role)
		}
	}
	return nil, nil
}

// ScopeTold is the scope that a token has by one of the places that tell it.
type ScopeTold struct {
	By     string // the answer, the token, introspection
	Scopes []string
}

// ScopesOf tells a token's scope by each place that tells one: the answer that brought it, the token itself, and
// introspection where the plan has a resource server.
func (p *Pass) ScopesOf(ctx context.Context, token oauth.Token) ([]ScopeTold, error) {
	var all []ScopeTold
	if token.ScopeTold && len(token.Scope) > 0 {
		all = append(all, ScopeTold{By: "the answer", Scopes: token.Scope})
	}
	told, err := p.ClaimsOf(ctx, token)
	if err != nil {
		return nil, err
	}
	for _, each := range told {
		if scopes := oauth.ScopesIn(each.Claims); len(scopes) > 0 {
			all = append(all, ScopeTold{By: each.By, Scopes: scopes})
		}
	}
	return all, nil
}

// Beyond says which of these scopes a token has and by which places, or nothing.
func Beyond(told []ScopeTold, scopes []string) string {
	var found []string
	for _, each := range told {
		for _, scope := range each.Scopes {
			if slices.Contains(scopes, scope) {
				found = append(found, fmt.Sprintf("%s by %s", scope, each.By))
			}
		}
	}
	return strings.Join(found, ", ")
}

// SilentScope is what an answer says that tells no scope (RFC 6749 §5.1: OPTIONAL, if it is what was asked; otherwise
// REQUIRED), where nobody else tells what the token is good for.
var SilentScope = &logbook.Breach{
	Broken:   "a token request for more than was agreed is answered without a scope, which says that all of it is granted",
	Why:      "either the partner has rights that nobody gave it, or it believes so: neither the token nor introspection tells which",
	Fix:      "tell the scope in the answer wherever it is not what was asked; to have this told apart, give the plan a client that may introspect",
	Severity: logbook.High,
}

// AsksForMore asks for a token by a wish that is accepted, and then by a wider one. A refusal of the wider one, after which
// the first is accepted again, passes as the case of this name; what came of it else is the caller's to judge, if a token
// was granted.
func (p *Pass) AsksForMore(ctx context.Context, member *cast.Member, wish, wider cast.TokenWish, name, expected, differs string) (Issued, bool, error) {
	good := p.AtToken(member, wish)
	err := p.Opens(ctx, good)
	if err != nil {
		return Issued{}, false, err
	}
	got, err := p.Issue(ctx, wire.Altered, member, wider)
	if err != nil {
		return got, false, err
	}
	switch got.Decision {
	case wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, got.Why, differs, got.Why)
		return got, false, nil
	case wire.Denied, wire.Odd:
		err = p.Opens(ctx, good)
		if err != nil {
			return got, false, err
		}
		p.Case(name, logbook.Pass, expected, got.Why, differs, "")
		return got, false, nil
	}
	return got, true, nil
}

// NeverGrants asserts that a token request of a member for its own scopes and some beyond them is refused, or brings a
// token without those beyond, which the answer tells. Before it, and after a refusal, the request for its own scopes is
// accepted. A check that uses it names [SilentScope] among its promises.
func (p *Pass) NeverGrants(ctx context.Context, member *cast.Member, beyond []string) error {
	const name, expected = "token request", "refused as invalid_scope, or narrowed and told"
	differs := "form scope: also " + strings.Join(beyond, " ")
	wish := member.Usual()
	wider := wish
	wider.Scopes = append(slices.Clone(member.Plan.Scopes), beyond...)
	got, granted, err := p.AsksForMore(ctx, member, wish, wider, name, expected, differs)
	if err != nil || !granted {
		return err
	}
	told, err := p.ScopesOf(ctx, got.Token)
	if err != nil {
		return err
	}
	if found := Beyond(told, beyond); found != "" {
		p.Case(name, logbook.Fail, expected, "a token with "+found, differs, "")
		return nil
	}
	switch {
	case got.Token.ScopeTold:
		p.Case(name, logbook.Pass, expected, "narrowed to "+strings.Join(got.Token.Scope, " "), differs, "")
	case len(told) > 0: // RFC 6749 §3.3: if it differs from what was asked, the answer MUST tell
		p.Note("the token is narrowed to %s by %s, and the answer does not tell", strings.Join(told[0].Scopes, " "), told[0].By)
		p.Case(name, logbook.Pass, expected, "narrowed", differs, "")
	default:
		defer p.Besides(SilentScope)()
		p.Case(name, logbook.Fail, expected, "a token whose answer tells no scope, and nobody else does", differs, "")
	}
	return nil
}
