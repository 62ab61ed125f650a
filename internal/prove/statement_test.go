package prove

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// Where a hook makes the statements and the initial access tokens, the ride registers with them. What needs the directory's
// key is a gap that is named, and everything else is tested and finds nothing wrong with a healthy stack.
func TestStatementsOfAHook(t *testing.T) {
	t.Parallel()
	edit := func(p *plan.Plan) {
		p.Registration.InitialAccessToken = plan.Reference{}
		p.Registration.Statement.Key, p.Registration.Statement.Claims = plan.Reference{}, nil
		p.Hooks[plan.MakeStatement] = plan.Hook{
			HTTP: "POST http://management.sandbox.test/directory/statements", Body: `{"organization":"{organization}","software_id":"{client_name}"}`,
			Header: map[string]plan.Reference{"Content-Type": {Text: "application/json"}},
		}
	}
	needKey := []string{"register.statement-forged", "register.statement-out-of-time", "register.statement-of-another-issuer"}
	setup := Setup{Catalogue: checks.Catalogue(), Only: []string{"register.*", "offboard.software-registered-again"}, Edit: edit}
	ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
		passes := map[string]bool{}
		for _, e := range entries {
			o := e.Observation
			switch {
			case o == nil || o.Outcome == logbook.NotApplicable:
			case o.Outcome == logbook.Pass:
				passes[o.Check] = true
			case o.Outcome == logbook.Fail || o.Outcome == logbook.Error:
				t.Errorf("%s at %s: %v; expected %s; observed %s; because %s", o.Check, o.Point, o.Outcome, o.Expected, o.Observed, o.Because)
			case strings.Contains(o.Because, "budget"):
				t.Errorf("%s: %s", o.Check, o.Because)
			}
		}
		for _, id := range []string{
			"register.statement-wins", "register.without-statement", "register.stolen-statement", "register.statement-returned",
			"register.statement-once", "register.update-without-statement", "register.access-token-bounds", "register.without-certificate",
			"offboard.software-registered-again",
		} {
			if !passes[id] {
				t.Errorf("%s did not pass", id)
			}
		}
		for _, id := range needKey {
			if passes[id] {
				t.Errorf("%s passes without the directory's key", id)
			}
		}
	})
}
