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

// StatementOutOfTime registers with a software statement that has expired and, where the plan says how old one may be,
// with one that is too old although it has not expired, and with one from the future.
//
// RFC 7519 §4.1.4: a JWT MUST NOT be accepted on or after its exp. How old a statement may be is the profile's business:
// the plan's word (registration.software_statement.oldest).
var StatementOutOfTime = &check.Check{
	ID:       "register.statement-out-of-time",
	Title:    "a software statement out of its time registers nobody",
	Broken:   "a software statement out of its time registers a client",
	Why:      "an organisation that has left the trust framework, or lost an old statement, still becomes a partner with it",
	Fix:      "refuse statements on and after exp, without iat, older than the profile allows, and issued in the future beyond the skew of clocks",
	Refs:     []frameworks.Ref{frameworks.RFC(7519, "4.1.4"), frameworks.RFC(7519, "4.1.6"), frameworks.RFC(7591, "3.2.2"), frameworks.House(), frameworks.SP80053("IA-5")},
	Rows:     []string{"L-SS-06"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration, check.DirectoryKey},
	Twin:     defect.Set{StatementTimesIgnored: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		oldest := p.Stack.Plan.Registration.Statement.Oldest.D()
		if oldest == 0 {
			p.Note("the plan does not say how old a statement may be (registration.software_statement.oldest), so only its expiry is judged")
		}
		return p.RefusesRegistrations(ctx, p.AtRegistration(ctx, cast.Partner, cast.Wish{}), nil, forge.StatementsOutOfTime(oldest)...)
	},
}
