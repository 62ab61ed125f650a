package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// StatementOnce registers twice with the very same software statement.
//
// RFC 7591 §2.3 lets one statement serve several instances of a software, so that it serves one client alone is the plan's
// word (registration.software_statement.once). §5: a server SHOULD reject what it suspects to be a duplicate of software
// that is not meant to have several instances.
var StatementOnce = &check.Check{
	ID:       "register.statement-once",
	Title:    "the same software statement makes no second client",
	Broken:   "the same software statement makes a second client",
	Why:      "a statement that was seen once makes clients that nobody counts, and offboarding the partner ends only one of them",
	Fix:      "remember the jti, or the software, of each statement with its client, and refuse the second registration or answer with the first client",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7591, "5"), frameworks.RFC(7519, "4.1.7"), frameworks.CSF("PR.AA-01")},
	Rows:     []string{"L-RG-17"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Statements},
	Twin:     defect.Set{StatementReused: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		const name, expected, differs = "the same statement again", "refused, or answered with the first client", "the same bytes again"
		if !p.Stack.Plan.Registration.Statement.Once {
			return check.NotApplicable("the plan lets one statement serve several clients (registration.software_statement.once)")
		}
		first, err := p.RegisterSigned(ctx, wire.Control, cast.Partner, nil)
		if err != nil {
			return err
		}
		if first.Decision != wire.Accepted {
			return check.CannotTell("the first use of the statement was not accepted: %s", first.Why)
		}
		second, err := p.RegisterSigned(ctx, wire.Altered, cast.Partner, &first)
		if err != nil {
			return err
		}
		if second.Decision == wire.Accepted && second.Member.ID() == first.Member.ID() {
			p.Case(name, logbook.Pass, expected, "answered with the first client", differs, "")
			return nil
		}
		if second.Decision != wire.Accepted && second.Decision != wire.Unknown {
			err = p.RegistrationOpens(ctx, cast.Partner) // with a statement of its own
			if err != nil {
				return err
			}
		}
		p.Decides(name, expected, differs, second.Decision, second.Why)
		return nil
	},
}
