package register

import (
	"context"
	"slices"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Removable deletes a client that it registered. What becomes of the client's credentials is another's to judge
// (offboard.*); here it is whether there is a way out at all.
//
// RFC 7592 §2.3: success is 204; a server that does not support deletion MUST answer 405. Then somebody else must be able
// to end a partner, which the plan shows by a hook.
var Removable = &check.Check{
	ID:       "register.removable",
	Title:    "what was registered can be removed, or the operator has another way",
	Broken:   "a registration is neither removed by DELETE nor refused with 405",
	Why:      "whoever registered cannot take back what it made, and is not told that nobody can: its credentials live until an operator thinks of it, and a test leaves its clients behind",
	Fix:      "support DELETE at the client configuration endpoint, or answer 405 there",
	Refs:     []frameworks.Ref{frameworks.RFC(7592, "2.3"), frameworks.House(), frameworks.NHI(1), frameworks.SP80053("AC-2")},
	Rows:     []string{"L-RM-14"},
	Severity: logbook.Medium,
	At:       check.HomeServer,
	Needs:    []check.Need{check.Registration},
	Besides:  []*logbook.Breach{noWayOut},
	Twin:     defect.Set{DeleteUnsupported: true},
	Run: func(ctx context.Context, p *check.Pass) error {
		const expected = "204; or 405, and a hook that ends clients"
		partner, err := p.Newcomer(ctx, cast.Partner, cast.Wish{})
		if err != nil {
			return err
		}
		err = p.Manageable(partner)
		if err != nil {
			return err
		}
		x, err := p.Delete(ctx, partner)
		if err != nil && x.Serial == 0 {
			return err
		}
		decision, why := oauth.ConfigurationDecision(x)
		i := slices.IndexFunc(ways, p.Cast.HasHook)
		switch {
		case decision == wire.Unknown:
			return check.CannotTell("the deletion could not be decided: %s", why)
		case decision == wire.Accepted:
			p.Holds(expected, true, why)
		case i < 0:
			defer p.Besides(noWayOut)()
			p.Holds(expected, false, why+", and the plan shows no other way: add the hook `delete_client`")
		case x.Status != 405 && x.Status != 403: // RFC 7592 §2.3: 403 is "not this client"
			p.Holds(expected, false, why)
		default:
			other := ways[i]
			p.Holds(expected, true, why+", and the plan has the hook "+other)
			p.Note("clients are not deleted by RFC 7592 here; they are ended by the hook %s", other)
		}
		return nil
	},
}

// ways are the hooks by which an operator ends a client.
var ways = []string{plan.DeleteClient, plan.Deprovision, plan.Suspend}

var noWayOut = &logbook.Breach{
	Broken:   "what was registered cannot be removed, and no other way is shown",
	Why:      "a partner that cannot be taken out stays in: its credentials outlive the agreement",
	Fix:      "support DELETE at the client configuration endpoint, or answer 405 there and give the plan the hook by which partners are ended",
	Severity: logbook.Medium,
}
