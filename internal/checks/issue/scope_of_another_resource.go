package issue

import (
	"context"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// ScopeOfAnotherResource asks for a token for one resource with a scope that only another resource knows. The client has
// that scope: a token for the other resource, which is accepted there, shows it. The server must refuse, or leave the
// scope out and tell; and what comes must not open the other resource.
//
// RFC 8707 §2.2: the server should downscope a token to what its resource is able to process and needs to know, and must
// tell where that is not what was asked. RFC 9700 §2.3: privileges SHOULD be the least that are needed.
var ScopeOfAnotherResource = &check.Check{
	ID:       "issue.scope-of-another-resource",
	Title:    "a token for one resource has no scope that only another resource knows",
	Broken:   "a token for one resource has a scope that only another resource knows",
	Why:      "each point learns what its callers may do elsewhere, and a token that is stolen at one point opens the others wherever aud is not compared",
	Fix:      "keep a list of scopes for each resource, downscope every token to what its resource knows, and tell the scope in the answer",
	Refs:     []frameworks.Ref{frameworks.RFC(8707, "2.2"), frameworks.RFC(9700, "2.3"), frameworks.RFC(6749, "3.3"), frameworks.ASVS("10.4.11"), frameworks.NHI(5), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-TK-16"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{scopesOfSeveral},
	Twin:     defect.Set{ScopeOfAnyResource: true},
	Also:     []defect.Set{{IntrospectionScopeOfClient: true}}, // a point that introspects is told all the same
	Run: func(ctx context.Context, p *check.Pass) error {
		tried := 0
		for _, one := range crossings(p.Stack.Plan) {
			if p.Cast.TokenServer(one.at) != p.Name {
				continue
			}
			tried++
			err := one.judge(ctx, p)
			if err != nil {
				return err
			}
		}
		if tried == 0 {
			return check.NotApplicable("no scope that only one resource knows is issued by %s", p.Name)
		}
		return nil
	},
}

// crossing is a scope that one resource knows and another does not, of a client that may have it.
type crossing struct {
	role      string
	scope     string
	at        *plan.Point    // of the resource that knows it
	operation plan.Operation // there, which needs it
	other     *plan.Point    // of a resource that does not
	own       []string       // the client's scopes that the other one knows
}

var scopesOfSeveral = check.Need{Name: "scopes of several resources", Has: func(p *plan.Plan, _ *plan.Point) (check.Missing, string, string) {
	if len(crossings(p)) > 0 {
		return check.Present, "", ""
	}
	return check.Absent, "the plan names no scope of a client that one resource knows and another does not (points.scopes, points.resource)", ""
}}

// crossings gives one crossing for each scope that allows one, the partner's first. Which scopes a resource knows the
// plan must say: its operations may be only some of those that the resource has.
func crossings(p *plan.Plan) []crossing {
	var all []crossing
	for _, role := range []string{cast.Partner, cast.Neighbour} {
		client, _ := p.Client(role)
		for _, scope := range client.Scopes {
			one, found := crossingOf(p, client, scope)
			if found && !slices.ContainsFunc(all, func(c crossing) bool { return c.scope == scope }) {
				all = append(all, one)
			}
		}
	}
	return all
}

func crossingOf(p *plan.Plan, client plan.Client, scope string) (crossing, bool) {
	for i := range p.Points {
		at := &p.Points[i]
		for _, operation := range at.Operations {
			if at.Resource == "" || !at.TakesTokens() || !slices.Contains(operation.Scopes, scope) || !mayTry(client, operation) {
				continue
			}
			for j := range p.Points {
				other := &p.Points[j]
				apart := other.Resource != "" && other.Resource != at.Resource && other.TokenFrom == at.TokenFrom && other.TakesTokens()
				own := inBoth(client.Scopes, other.Scopes)
				if apart && len(own) > 0 && !slices.Contains(other.Scopes, scope) {
					return crossing{role: client.Name, scope: scope, at: at, operation: operation, other: other, own: own}, true
				}
			}
		}
	}
	return crossing{}, false
}

// mayTry says whether a client gets in at an operation, and does no harm there.
func mayTry(client plan.Client, operation plan.Operation) bool {
	method, _, _ := strings.Cut(operation.Request, " ")
	reads := method == "GET" || method == "HEAD" || method == "OPTIONS"
	granted := !operation.Deny || operation.RouteProof == client.Name
	mine := operation.ObjectOf == "" || operation.ObjectOf == client.Name
	return granted && mine && len(operation.Roles) == 0 && (reads || !operation.ReachedWhen.Empty()) &&
		len(inBoth(operation.Scopes, client.Scopes)) == len(operation.Scopes)
}

func inBoth(some, others []string) []string {
	return slices.DeleteFunc(slices.Clone(some), func(scope string) bool { return !slices.Contains(others, scope) })
}

func (c crossing) judge(ctx context.Context, p *check.Pass) error {
	member, err := p.Cast.Member(ctx, c.role)
	if err != nil {
		return err
	}
	there, err := member.TokenWith(ctx, cast.TokenWish{Resource: c.at.Resource, Scopes: c.operation.Scopes})
	if err != nil {
		return err
	}
	known := p.CallAt(c.at, c.operation, member, there)
	err = p.Opens(ctx, known)
	if err != nil {
		return err
	}
	const expected = "refused, or downscoped and told"
	name, differs := c.scope+" for "+c.other.Resource, "form scope: also "+c.scope
	wish := cast.TokenWish{Resource: c.other.Resource, Scopes: c.own}
	wider := cast.TokenWish{Resource: c.other.Resource, Scopes: append(slices.Clone(c.own), c.scope)}
	got, granted, err := p.AsksForMore(ctx, member, wish, wider, name, expected, differs)
	if err != nil || !granted {
		return err
	}
	audience, err := audienceOf(ctx, p, got.Token)
	if err != nil {
		return err
	}
	usual, err := audienceOf(ctx, p, there)
	if err != nil {
		return err
	}
	if audience != nil && (slices.Contains(audience, c.at.Resource) || same(audience, usual)) {
		return check.NotApplicable("a token that was asked for %s is for %s as well: aud is %s", c.other.Resource, c.at.Resource, strings.Join(audience, ", "))
	}
	told, err := p.ScopesOf(ctx, got.Token)
	if err != nil {
		return err
	}
	switch found := check.Beyond(told, []string{c.scope}); {
	case found != "":
		p.Case(name, logbook.Fail, expected, "a token with "+found, differs, "")
	case len(told) == 0:
		p.Note("nothing tells the scope of the token for %s, so only %s tells whether it has %s", c.other.Name, c.at.Name, c.scope)
	default:
		p.Case(name, logbook.Pass, expected, "downscoped to "+strings.Join(told[0].Scopes, " "), differs, "")
	}
	// Whatever is told, it must not be effective where the scope is known.
	here := p.CallAt(c.other, p.Allowed(c.other), member, got.Token)
	return p.RefusesGoodElsewhere(ctx, known, here, forge.Showing(got.Token, c.operation.Name+" at "+c.at.Name+" with the token for "+c.other.Name))
}
