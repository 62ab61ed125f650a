package issue

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// ScopeIsTold asks for the scope of every day, for none, for a part of it, and for what only looks like it: in other
// letters, and with a character that no scope may have. Each answer is compared with what was asked and with what the
// token itself, or introspection, says.
//
// RFC 6749 §3.3: the server MAY ignore what was asked, and MUST tell the scope where that is another; §5.1: an answer
// without scope says that it is the one that was asked. Scopes are compared letter by letter.
var ScopeIsTold = &check.Check{
	ID:       "issue.scope-is-told",
	Title:    "a token answer tells the scope that it grants, wherever that is not what was asked",
	Broken:   "a token answer does not tell the scope that it grants",
	Why:      "the client, and whoever hands the token on, takes it for another than it is: a token with more rights than its holder knows of is guarded less",
	Fix:      "put scope into every token answer, as it is in the token; compare scopes letter by letter",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "3.3"), frameworks.RFC(6749, "5.1"), frameworks.RFC(9068, "2.2.3"), frameworks.ASVS("10.4.11")},
	Rows:     []string{"L-TK-04", "L-TK-05", "L-TK-07", "L-AT-04"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Twin:     defect.Set{ScopeUntold: true},
	Also:     []defect.Set{{ScopelessToken: true}}, // of which the answer tells nothing
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		usual := asking{name: "the usual scope", member: partner, asked: partner.Plan.Scopes}
		err = usual.judge(ctx, p)
		if err != nil {
			return err
		}
		all := []asking{{name: "no scope", member: partner}}
		wide, err := p.WithSeveralScopes(ctx)
		if err != nil {
			return err
		}
		if wide == nil {
			p.Note("no client of the plan has two scopes, so a part of them was not asked for")
		} else {
			all = append(all, asking{name: "a part of the scope", member: wide, asked: wide.Plan.Scopes[:1]})
		}
		if len(partner.Plan.Scopes) > 0 {
			first := partner.Plan.Scopes[0]
			all = append(all,
				asking{name: "a scope in other letters", member: partner, asked: []string{otherCase(first)}, never: true},
				asking{name: "a malformed scope", member: partner, asked: []string{first + `"`}, never: true})
		}
		for _, one := range all {
			err = one.judge(ctx, p)
			if err != nil {
				return err
			}
		}
		return p.Opens(ctx, p.AtToken(partner, partner.Usual()))
	},
}

// asking is a token request for some scope; none: the request has no scope.
type asking struct {
	name   string
	member *cast.Member
	asked  []string
	never  bool // what is asked is no scope that anybody has
}

func (a asking) judge(ctx context.Context, p *check.Pass) error {
	wish := a.member.Usual()
	wish.Scopes, wish.NoScope = a.asked, len(a.asked) == 0
	differs := "form scope: " + strings.Join(a.asked, " ")
	if wish.NoScope {
		differs = "form scope: left out"
	}
	got, err := p.Issue(ctx, wire.Altered, a.member, wish)
	if err != nil {
		return err
	}
	const expected = "refused, or the scope is told where it is not what was asked"
	if p.NotAccepted(a.name, expected, differs, got.Decision, got.Why) {
		return nil
	}
	told, err := p.ScopesOf(ctx, got.Token)
	if err != nil {
		return err
	}
	answer, real, by := got.Token.Scope, []string(nil), ""
	for _, one := range told {
		if one.By != "the answer" && by == "" {
			real, by = one.Scopes, one.By
		}
	}
	if a.never && (got.Token.ScopeTold && holds(answer, a.asked) || holds(real, a.asked)) {
		p.Case(a.name, logbook.Fail, expected, "granted as it was asked", differs, "")
		return nil
	}
	switch {
	case got.Token.ScopeTold && by != "" && !same(answer, real):
		p.Case(a.name, logbook.Fail, expected, fmt.Sprintf("the answer tells %q, %s has %q", strings.Join(answer, " "), by, strings.Join(real, " ")), differs, "")
	case got.Token.ScopeTold:
		p.Case(a.name, logbook.Pass, expected, "told: "+strings.Join(answer, " "), differs, "")
	case by != "" && !same(a.asked, real):
		p.Case(a.name, logbook.Fail, expected, fmt.Sprintf("the answer tells no scope, %s has %q", by, strings.Join(real, " ")), differs, "")
	case by != "":
		p.Case(a.name, logbook.Pass, expected, "as asked, by "+by, differs, "")
	case a.never:
		p.Case(a.name, logbook.Fail, expected, "a token whose answer tells no scope, which says that what was asked is granted", differs, "")
	case got.Token.JWT != nil:
		p.Case(a.name, logbook.Pass, expected, "a token without scope", differs, "")
	default:
		p.Case(a.name, logbook.Inconclusive, expected, "", differs, "neither the answer nor introspection tells the scope of an opaque token; let the resource server introspect it")
	}
	return nil
}

func holds(scopes, any []string) bool {
	return slices.ContainsFunc(any, func(s string) bool { return slices.Contains(scopes, s) })
}

// same says whether two lists hold the same scopes, in whatever order.
func same(a, b []string) bool {
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(sorted(a), sorted(b))
}

// otherCase is a text in capitals, or in small letters where it has no small ones.
func otherCase(text string) string {
	if upper := strings.ToUpper(text); upper != text {
		return upper
	}
	return strings.ToLower(text)
}
