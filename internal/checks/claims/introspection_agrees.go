package claims

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/wire"
)

// IntrospectionAgrees has the resource server ask about live tokens, and compares what it is told with the token itself,
// where that is a JWT, and with the answer that brought it. One token is asked for with a part of its client's scope:
// seen are servers that tell the client's scope for every token of it.
//
// RFC 7662 §2.2: only active is REQUIRED, all else OPTIONAL; that two words about one token agree is our demand. The server
// MAY limit which scopes it tells each resource server, so fewer than the token has are no finding, and likewise fewer
// audiences. RFC 8705 §3.2: the confirmation of a bound token stands in the introspection, too.
var IntrospectionAgrees = &check.Check{
	ID:       "claims.introspection-agrees",
	Title:    "introspection tells of a token what the token and its answer say",
	Broken:   "introspection gives a token other rights, another end, owner or binding than it has",
	Why:      "points that ask introspection go by other rights, another end or no binding at all: the partner gets at one door what the next one refuses",
	Fix:      "answer introspection from what was issued, not from what the client is registered for",
	Refs:     []frameworks.Ref{frameworks.RFC(7662, "2.2"), frameworks.RFC(8705, "3.2"), frameworks.House(), frameworks.ASVS("10.3.2"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-IN-01", "L-AT-04", "L-AT-05"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Introspection},
	Besides:  []*logbook.Breach{namedOtherwise},
	Twin:     defect.Set{IntrospectionScopeOfClient: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		asker, err := p.Introspects(ctx)
		if err != nil {
			return err
		}
		partner, token, err := p.HomeToken(ctx)
		if err != nil {
			return err
		}
		err = compare(ctx, p, asker, partner, "the partner's token", token)
		if err != nil {
			return err
		}
		wide, err := p.WithSeveralScopes(ctx)
		if err != nil {
			return err
		}
		if wide == nil {
			return nil
		}
		wish := wide.Usual()
		wish.Scopes = wide.Plan.Scopes[:1]
		part, err := wide.TokenWith(ctx, wish)
		if err != nil {
			return err
		}
		return compare(ctx, p, asker, wide, "a token with a part of its client's scope", part)
	},
}

// namedOtherwise is what a resource server goes by when it looks for a token and not when it decides.
var namedOtherwise = &logbook.Breach{
	Broken:   "introspection gives a token another issuer, id or time of issue than the token has",
	Why:      "lists of revoked tokens, rules by age and investigations look for the one and find the other, or nothing",
	Fix:      "answer introspection from what was issued, iss, jti and iat included",
	Severity: logbook.Medium,
}

// compare judges what introspection says of one live token.
func compare(ctx context.Context, p *check.Pass, asker, owner *cast.Member, name string, token oauth.Token) error {
	const expected = "introspection and the token say the same"
	call, err := introspected(ctx, p, asker, token)
	if err != nil {
		return err
	}
	x, answer, err := p.Do(ctx, wire.Control, call)
	if err != nil {
		return err
	}
	_, told, err := oauth.ReadIntrospection(x)
	if err != nil || answer.Decision != wire.Accepted {
		return check.CannotTell("the resource server is not told that the token is active (%s); is it the resource server of this token?", answer.Why)
	}
	found := between(told, token, owner.ID())
	if exp, dated := oauth.Date(told["exp"]); token.JWT == nil && dated && !token.Expires.IsZero() {
		apart := exp.Add(-owner.Server.Clock).Sub(token.Expires)
		if apart.Abs() > p.Limits.ClockSkew.D()+2*time.Second {
			found.wrong = append(found.wrong, fmt.Sprintf("exp is %v from what expires_in says", apart.Round(time.Second)))
		}
	}
	for _, part := range found.parts {
		p.Note("%s: introspection tells %s, which RFC 7662 §2.2 lets it", name, part)
	}
	var absent []string
	for _, claim := range []string{"scope", "client_id", "exp", "aud"} {
		if _, there := told[claim]; !there {
			absent = append(absent, claim)
		}
	}
	if len(absent) > 0 {
		p.Note("introspection does not tell %s, which RFC 7662 §2.2 leaves open; points cannot compare it", strings.Join(absent, ", "))
	}
	if len(found.aside) > 0 {
		titled := p.Besides(namedOtherwise)
		p.Case(name, logbook.Fail, expected, strings.Join(found.aside, "; "), "", "")
		titled()
	}
	switch {
	case len(found.wrong) > 0:
		p.Case(name, logbook.Fail, expected, strings.Join(found.wrong, "; "), "", "")
	case len(found.aside) == 0:
		p.Case(name, logbook.Pass, expected, "they do", "", "")
	}
	return nil
}

// differences are what introspection and a token say otherwise: what points decide by, what they only find the token by,
// and what introspection tells in part.
type differences struct{ wrong, aside, parts []string }

// between compares what introspection tells with the token, or with its answer where the token is opaque.
func between(told map[string]any, token oauth.Token, owner string) differences {
	var d differences
	if id, there := told["client_id"].(string); there && id != owner {
		d.wrong = append(d.wrong, fmt.Sprintf("client_id is %s in introspection, and %s got the token", id, owner))
	}
	said := token.Scope
	if token.JWT != nil {
		said = token.JWT.Scope()
		for _, claim := range slices.Sorted(maps.Keys(token.JWT.Claims)) {
			d.claim(claim, told, token.JWT.Claims[claim])
		}
	}
	if scopes := oauth.ScopesIn(told); scopes != nil && said != nil {
		d.lists("scope", scopes, said)
	}
	return d
}

func (d *differences) claim(claim string, told map[string]any, mine any) {
	theirs, there := told[claim]
	switch {
	case claim == "cnf" && !there:
		d.wrong = append(d.wrong, "cnf is in the token and not in introspection")
	case !there:
	case claim == "exp" && !near(mine, theirs), (claim == "sub" || claim == "cnf") && !reflect.DeepEqual(mine, theirs):
		d.wrong = append(d.wrong, differs(claim, theirs, mine))
	case claim == "iat" && !near(mine, theirs), (claim == "iss" || claim == "jti") && !reflect.DeepEqual(mine, theirs):
		d.aside = append(d.aside, differs(claim, theirs, mine))
	case claim == "aud":
		d.lists("aud", oauth.Strings(theirs), oauth.Strings(mine))
	}
}

func (d *differences) lists(claim string, theirs, mine []string) {
	outside := slices.ContainsFunc(theirs, func(text string) bool { return !slices.Contains(mine, text) })
	switch {
	case outside:
		d.wrong = append(d.wrong, differs(claim, strings.Join(theirs, " "), strings.Join(mine, " ")))
	case !alike(theirs, mine):
		d.parts = append(d.parts, fmt.Sprintf("of %s %q only %q", claim, strings.Join(mine, " "), strings.Join(theirs, " ")))
	}
}

func differs(claim string, theirs, mine any) string {
	return fmt.Sprintf("%s is %v in introspection and %v in the token", claim, theirs, mine)
}

// near says whether two dates are the same but for a second of rounding.
func near(a, b any) bool {
	first, one := oauth.Date(a)
	second, two := oauth.Date(b)
	return one && two && first.Sub(second).Abs() <= time.Second
}

// alike says whether two lists hold the same texts.
func alike(a, b []string) bool {
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(sorted(a), sorted(b))
}
