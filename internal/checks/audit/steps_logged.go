package audit

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// StepsLogged looks for what the partner was just let do: a token at the authorization server, a call at a point. Each
// step leaves exactly one record; the log is read until a second one would be late. How complete it is (who, what, when, outcome, origin, resource, correlation and the
// partner's name) is told; SP 800-53 AU-3 lists what a record must hold. That
// there is one record and no second one is our demand.
var StepsLogged = &check.Check{
	ID:            "audit.steps-logged",
	Title:         "each step that was let through leaves exactly one record in the audit log",
	Broken:        "a step that was let through leaves no record",
	Why:           "after an incident nobody can say what the partner did, or whether it was the partner",
	Fix:           "write one record for each token issued and each call let in, with client, action, time, outcome, origin, resource and the request's id",
	Refs:          []frameworks.Ref{frameworks.SP80053("AU-2"), frameworks.SP80053("AU-3"), frameworks.SP80053("AU-12"), frameworks.ASVS("16.2.1"), frameworks.ASVS("16.3.1"), frameworks.CSF("PR.PS-04"), frameworks.House()},
	Rows:          []string{"L-AU-01", "L-AU-03", "A-LG-01", "L-AU-07"},
	Severity:      logbook.High,
	At:            check.EverySource,
	Needs:         []check.Need{check.Audit},
	AnyCredential: true,
	Promise:       func(*plan.Point) string { return "limits.log_delay" },
	Waits:         func(l plan.Limits) time.Duration { return l.LogDelay.D() },
	Besides:       []*logbook.Breach{audit.Repeated, audit.Misrecorded},
	Twin:          defect.Set{GrantsUnlogged: true},
	Also:          []defect.Set{{RecordRepeated: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		if p.Point == nil && p.Name != partner.Server.Name {
			return check.NotApplicable("the ride has no client at %s", p.Name)
		}
		who := p.NamedInLogs(partner)
		name, call := "a token grant", p.Login(partner)
		if p.Point != nil {
			name = "an accepted call"
			call, err = p.Opened(ctx)
			if err != nil {
				return err
			}
		}
		x, answer, err := p.Do(ctx, wire.Control, call)
		if err != nil {
			return err
		}
		if answer.Decision != wire.Accepted {
			return check.CannotTell("%s was not accepted: %s", call.Name, answer.Why)
		}
		return p.TellsOnce(ctx, check.Step{Name: name, Exchange: x, Who: who})
	},
}
