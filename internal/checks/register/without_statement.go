package register

import (
	"context"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
)

// WithoutStatement registers with everything but the software statement: the initial access token and the certificate are
// as good as ever.
//
// RFC 7591 §2 lets a server ignore statements; that this one registers nobody without one is the plan's word
// (registration.software_statement.required). RFC 7591 §3.2.2 has the answer.
var WithoutStatement = &check.Check{
	ID:       "register.without-statement",
	Title:    "nobody becomes a client without a software statement",
	Broken:   "anybody becomes a client without a software statement",
	Why:      "nobody vouches for who registers: the organisation, the scopes and the keys of the client are what it says of itself",
	Fix:      "refuse registrations without a software statement, also for tokens and paths of older partners",
	Refs:     []frameworks.Ref{frameworks.House(), frameworks.RFC(7591, "3.1.1"), frameworks.RFC(7591, "3.2.2"), frameworks.CSF("PR.AA-02"), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-SS-04"},
	Severity: logbook.Critical,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.Statements},
	Twin:     defect.Set{StatementOptional: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		if !p.Stack.Plan.Registration.Statement.Required {
			return check.NotApplicable("the plan says that a software statement is not required (registration.software_statement.required)")
		}
		return p.RefusesRegistrations(ctx, p.AtRegistration(ctx, cast.Partner, cast.Wish{}), nil, forge.WithoutStatement())
	},
}
