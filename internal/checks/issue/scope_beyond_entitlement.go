package issue

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// ScopeBeyondEntitlement asks for the partner's scopes and, in the same request, for some that it must not get; then for
// no scope at all, whose default must lie within the agreement. The answer, the token and introspection are compared: one
// of them may tell what the others hide.
//
// RFC 6749 §3.3: the server MAY ignore what was asked, and MUST tell what it gave where that differs. §5.2: else it
// refuses with invalid_scope.
var ScopeBeyondEntitlement = &check.Check{
	ID:       "issue.scope-beyond-entitlement",
	Title:    "a token request gets no scope beyond the agreement",
	Broken:   "a token request gets scopes beyond the agreement",
	Why:      "a partner gives itself every right that exists by naming it in a request",
	Fix:      "narrow what is asked to what the client is entitled to, each scope by itself, or refuse with invalid_scope",
	Refs:     []frameworks.Ref{frameworks.RFC(6749, "3.3"), frameworks.RFC(6749, "5.2"), frameworks.ASVS("10.4.11"), frameworks.NHI(5), frameworks.RFC(9700, "2.3"), frameworks.CSF("PR.AA-05"), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-TK-04", "L-TK-06", "A-CC-10"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Unentitled},
	Besides:  []*logbook.Breach{check.SilentScope},
	Twin:     defect.Set{ScopeBeyondGrant: true},
	Also:     []defect.Set{{DefaultScopeUnbounded: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		beyond := p.Stack.Plan.Agreement.Unentitled
		err = p.NeverGrants(ctx, partner, beyond)
		if err != nil {
			return err
		}
		const name, expected, differs = "token request without scope", "refused, or a default within the agreement", "form scope: left out"
		wish := partner.Usual()
		wish.NoScope = true
		got, err := p.Issue(ctx, wire.Altered, partner, wish)
		if err != nil {
			return err
		}
		if p.NotAccepted(name, expected, differs, got.Decision, got.Why) {
			return nil
		}
		told, err := p.ScopesOf(ctx, got.Token)
		if err != nil {
			return err
		}
		if found := check.Beyond(told, beyond); found != "" {
			p.Case(name, logbook.Fail, expected, "a token with "+found, differs, "")
			return nil
		}
		if len(told) == 0 && got.Token.JWT == nil { // §5.1: "OPTIONAL, if identical to the scope requested by the client; otherwise, REQUIRED"
			p.Note("the answer names no scope, which says that the token has what was asked for: none; nothing but the server's word tells what an opaque token holds")
		}
		p.Case(name, logbook.Pass, expected, got.Why, differs, "")
		return nil
	},
}
