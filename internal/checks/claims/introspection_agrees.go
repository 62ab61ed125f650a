package claims

import (
	"context"
	"fmt"
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
// RFC 7662 §2.2: only active is REQUIRED, all else OPTIONAL; that two words about one token agree is our demand. RFC 8705
// §3.2: the confirmation of a bound token stands in the introspection, too.
var IntrospectionAgrees = &check.Check{
	ID:       "claims.introspection-agrees",
	Title:    "introspection tells of a token what the token and its answer say",
	Broken:   "introspection tells of a token what it does not say",
	Why:      "points that ask introspection go by other rights, another end or no binding at all: the partner gets at one door what the next one refuses",
	Fix:      "answer introspection from what was issued, not from what the client is registered for",
	Refs:     []frameworks.Ref{frameworks.RFC(7662, "2.2"), frameworks.RFC(8705, "3.2"), frameworks.House(), frameworks.ASVS("10.3.2"), frameworks.SP80053("IA-13(2)")},
	Rows:     []string{"L-IN-01", "L-AT-04", "L-AT-05"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Introspection},
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
	var wrong, absent []string
	differs := func(claim string, here, there any) {
		wrong = append(wrong, fmt.Sprintf("%s is %v in introspection and %v in the token", claim, here, there))
	}
	for _, claim := range []string{"scope", "client_id", "exp", "aud"} {
		if _, there := told[claim]; !there {
			absent = append(absent, claim)
		}
	}
	if id, there := told["client_id"].(string); there && id != owner.ID() {
		differs("client_id", id, owner.ID())
	}
	scopes, said := oauth.ScopesIn(told), token.Scope
	if token.JWT != nil {
		said = token.JWT.Scope()
		for claim, mine := range token.JWT.Claims {
			theirs, there := told[claim]
			switch {
			case claim == "cnf" && !there:
				wrong = append(wrong, "cnf is in the token and not in introspection")
			case !there || claim == "scope" || claim == "scp":
			case claim == "exp" || claim == "iat":
				if !near(mine, theirs) {
					differs(claim, theirs, mine)
				}
			case claim == "aud":
				if !alike(oauth.Strings(mine), oauth.Strings(theirs)) {
					differs(claim, theirs, mine)
				}
			case slices.Contains([]string{"iss", "sub", "jti", "cnf"}, claim) && !reflect.DeepEqual(mine, theirs):
				differs(claim, theirs, mine)
			}
		}
	} else if exp, dated := oauth.Date(told["exp"]); dated && !token.Expires.IsZero() {
		apart := exp.Add(-owner.Server.Clock).Sub(token.Expires)
		if apart.Abs() > p.Limits.ClockSkew.D()+2*time.Second {
			wrong = append(wrong, fmt.Sprintf("exp is %v from what expires_in says", apart.Round(time.Second)))
		}
	}
	if scopes != nil && said != nil && !alike(scopes, said) {
		differs("scope", strings.Join(scopes, " "), strings.Join(said, " "))
	}
	if len(absent) > 0 {
		p.Note("introspection does not tell %s, which RFC 7662 §2.2 leaves open; points cannot compare it", strings.Join(absent, ", "))
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		p.Case(name, logbook.Fail, expected, strings.Join(wrong, "; "), "", "")
		return nil
	}
	p.Case(name, logbook.Pass, expected, "they do", "", "")
	return nil
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
