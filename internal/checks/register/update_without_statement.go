package register

import (
	"context"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/wire"
)

// UpdateWithoutStatement updates a client without a software statement, and with one whose signature has a flipped bit.
//
// RFC 7592 does not speak of statements, so that an update needs one is the profile's word, and the plan's
// (registration.software_statement.on_update). RFC 7591 §3.2.2 has the answer.
var UpdateWithoutStatement = &check.Check{
	ID:       "register.update-without-statement",
	Title:    "no update of a client is taken without a good software statement",
	Broken:   "an update of a client is taken without a good software statement",
	Why:      "what the directory vouched for at registration is changed a minute later by the client alone: its organisation, its scopes, its keys",
	Fix:      "verify the software statement of an update as that of a registration, before anything is changed",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7592, "2.2"), frameworks.RFC(7591, "3.2.2"), frameworks.RFC(7591, "2.3"), frameworks.CSF("PR.AA-04"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-RM-11", "L-SS-03"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Statements},
	Takes:    check.Rotate,
	Twin:     defect.Set{StatementSkippedOnUpdate: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		said := p.Stack.Plan.Registration.Statement
		if !said.OnUpdate {
			return check.NotApplicable("the plan does not demand a software statement of updates (registration.software_statement.on_update)")
		}
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		err = p.Manageable(partner)
		if err != nil {
			return err
		}
		changes := []wire.Change{forge.WithoutStatement()}
		if said.Key.Empty() {
			p.Note("a hook makes the statements, so an update with a broken one is not played: give registration.software_statement.key")
		} else {
			changes = append(changes, forge.StatementTampered())
		}
		return p.Refuses(ctx, p.AtUpdate(partner), changes...)
	},
}
