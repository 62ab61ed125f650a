package prove

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// Where the plan names no server of the other environment, nobody has seen that the credentials are good: that they are
// refused here decides nothing, and that one of them opens is a finding all the same.
func TestCredentialsThatNobodySawToBeGood(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		defects defect.Set
		want    map[string]logbook.Outcome
	}{
		"refused": {defect.Set{}, map[string]logbook.Outcome{
			"authenticate.other-environment": logbook.Inconclusive, "enforce.other-environment": logbook.Inconclusive,
		}},
		"accepted": {defect.Set{OtherEnvironmentKnown: true}, map[string]logbook.Outcome{
			"authenticate.other-environment": logbook.Fail,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setup := Setup{Catalogue: checks.Catalogue(), Defects: row.defects, Only: []string{"authenticate.other-environment", "enforce.other-environment"}, Edit: func(p *plan.Plan) {
				p.OtherEnvironment.Issuer = ""
				p.OtherEnvironment.Token = plan.Reference{Text: "file:elsewhere-secret.txt"} // any text: a token of which nothing is known
			}}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				seen := 0
				for _, e := range entries {
					o := e.Observation
					if o == nil {
						continue
					}
					want, judged := row.want[o.Check]
					if !judged {
						continue
					}
					seen++
					if o.Outcome != want || want == logbook.Inconclusive && !strings.Contains(o.Because, "a refusal says nothing") {
						t.Errorf("%s at %s: %v, observed %s, because %s; want %v", o.Check, o.Point, o.Outcome, o.Observed, o.Because, want)
					}
				}
				if seen == 0 {
					t.Error("nothing was judged")
				}
			})
		})
	}
}
