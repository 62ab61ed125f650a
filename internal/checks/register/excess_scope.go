package register

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

// ExcessScope registers a partner that asks for scopes beyond what was agreed, and then asks for a token with them.
//
// RFC 7591 §2 and §3.2.1: the server MAY reject or replace what was asked, and tells what is registered. Which scopes a
// partner may have is the plan's word (agreement.unentitled_scopes).
var ExcessScope = &check.Check{
	ID:       "register.excess-scope",
	Title:    "a registration gets no scope beyond the agreement by asking for it",
	Broken:   "a registration that asks for scopes beyond the agreement gets tokens with them",
	Why:      "the plan says what a partner may have; one that writes its own rights into its registration has all of them",
	Fix:      "decide at registration which scopes a partner may have, by what was agreed and not by what it asks, and hold the token endpoint to it",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7591, "2"), frameworks.RFC(7591, "3.2.1"), frameworks.ASVS("10.4.11"), frameworks.NHI(5), frameworks.CSF("PR.AA-05"), frameworks.SP80053("AC-6")},
	Rows:     []string{"L-RG-09", "A-RG-03"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Unentitled},
	Besides:  []*logbook.Breach{scopeOnPaper, check.SilentScope},
	Twin:     defect.Set{RegisteredScopeUnfiltered: true},
	Also:     []defect.Set{{ScopeBeyondGrant: true}}, // the token then carries what the registration did not get
	Follows:  []string{"issue.scope-beyond-entitlement"},
	Run: func(ctx context.Context, p *check.Pass) error {
		const name, expected = "registration", "refused, or registered without them"
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		beyond := p.Stack.Plan.Agreement.Unentitled
		differs := "scope: also " + strings.Join(beyond, " ")
		got, err := p.Register(ctx, wire.Altered, cast.Partner, cast.Wish{Scopes: append(slices.Clone(partner.Plan.Scopes), beyond...)})
		switch {
		case err != nil:
			return err
		case got.Decision == wire.Unknown:
			return check.CannotTell("the registration could not be decided: %s", got.Why)
		case got.Decision != wire.Accepted:
			err = p.RegistrationOpens(ctx, cast.Partner)
			if err != nil {
				return err
			}
			p.Case(name, logbook.Pass, expected, got.Why, differs, "")
			return nil
		}
		scope, told := got.Told("scope")
		if !told {
			p.Note("the answer does not tell which scope is registered, though RFC 7591 §3.2.1 wants all metadata told")
		}
		found := check.Beyond([]check.ScopeTold{{By: "the answer", Scopes: strings.Fields(scope)}}, beyond)
		if found != "" {
			titled := p.Besides(scopeOnPaper)
			p.Case(name, logbook.Fail, expected, "registered with "+found, differs, "")
			titled()
		} else if told {
			p.Case(name, logbook.Pass, expected, "registered with "+scope, differs, "")
		}
		err = p.Cast.Settle(ctx, got.Member)
		if err != nil {
			return err
		}
		return p.NeverGrants(ctx, got.Member, beyond)
	},
}

// scopeOnPaper is what a registration says alone: its tokens may say otherwise.
var scopeOnPaper = &logbook.Breach{
	Broken:   "a client is registered with scopes beyond the agreement by asking for them",
	Why:      "the record of what the partner may have is the partner's own: whoever reads it next, another token endpoint or a review, gives it all of them",
	Fix:      "decide at registration which scopes a partner may have, by what was agreed and not by what it asks",
	Severity: logbook.High,
}
