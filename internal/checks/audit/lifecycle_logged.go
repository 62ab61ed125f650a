package audit

import (
	"context"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// LifecycleLogged looks for what was done to a client: its update, the revocation of its token, its deletion. Whoever
// takes over a registration token leaves no other trace.
//
// SP 800-53 AC-2(4) wants the creation, modification, disabling and removal of accounts audited.
var LifecycleLogged = &check.Check{
	ID:       "audit.lifecycle-logged",
	Title:    "the update, the revocation and the deletion of a client each leave a record",
	Broken:   "the change or the end of a client leaves no record",
	Why:      "a partner's keys can be exchanged, or its access ended, and nobody can say by whom",
	Fix:      "write a record for each change of a client and each revocation, with the client, the actor and the time",
	Refs:     []frameworks.Ref{frameworks.SP80053("AC-2(4)"), frameworks.SP80053("AU-2"), frameworks.SP80053("AU-12"), frameworks.CSF("PR.PS-04"), frameworks.CSF("PR.AA-01")},
	Rows:     []string{"L-AU-04", "A-LG-07"},
	Severity: logbook.High,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Audit, check.Registration},
	Takes:    check.Delete,
	Promise:  func(*plan.Point) string { return "limits.log_delay" },
	Besides:  []*logbook.Breach{audit.Misrecorded},
	Twin:     defect.Set{LifecycleUnlogged: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		partner, err := p.Partner(ctx)
		if err != nil {
			return err
		}
		who := p.NamedInLogs(partner)
		var steps []check.Step
		step := func(name string, x wire.Exchange) {
			steps = append(steps, check.Step{Name: name, Exchange: x, Who: who})
		}
		x, err := p.Update(ctx, partner, func(map[string]any) {})
		if err != nil {
			return err
		}
		step("an update", x)
		if partner.Server.Endpoints.Revocation != "" {
			token, err := partner.TokenWith(ctx, partner.Usual())
			if err != nil {
				return err
			}
			x, answer, err := p.Do(ctx, wire.Setup, p.AtRevocation(partner, token.Text))
			if err != nil {
				return err
			}
			if answer.Decision == wire.Accepted {
				step("a revocation", x)
			} else {
				p.Note("the revocation was not accepted (%s), so there is nothing to find", answer.Why)
			}
		}
		x, err = p.Delete(ctx, partner)
		if err != nil {
			return err
		}
		step("a deletion", x)
		return p.Tells(ctx, steps...)
	},
}
