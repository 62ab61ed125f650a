package prove

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// What the plan says of the format of tokens is compared with those that come, either way round. Where it promises JWTs and
// opaque tokens come, nothing can be forged, and that is not green.
func TestTokensOfAnotherFormat(t *testing.T) {
	t.Parallel()
	few := append(catalogue(t, "claims.token-profile"), catalogue(t, "enforce.unsigned-token")...)
	for _, row := range []struct {
		name    string
		defects defect.Set
		edit    func(*plan.Plan)
		differs string // the point whose tokens are not as the plan says
		forging logbook.Outcome
	}{
		{"as they come", defect.Set{GuessableToken: true}, says(""), "", logbook.NotApplicable},
		{"JWTs were promised", defect.Set{GuessableToken: true}, says("jwt"), "legacy", logbook.Inconclusive},
		{"opaque ones were promised", defect.Set{GuessableToken: true}, says("opaque"), "edge gateway", logbook.NotApplicable},
		{"they are as promised", defect.Set{}, says("jwt"), "", logbook.Pass},
	} {
		t.Run(row.name, func(t *testing.T) {
			ridden(t, Setup{Catalogue: few, Defects: row.defects, Edit: row.edit}, func(t *testing.T, entries []logbook.Entry) {
				for _, e := range entries {
					o := e.Observation
					switch {
					case o == nil:
					case o.Check == "claims.token-profile":
						var differs []string
						for _, c := range o.Cases {
							differs = append(differs, c.Points...)
						}
						if got := strings.Join(differs, " "); got != row.differs || (o.Outcome == logbook.Fail) != (got != "") {
							t.Errorf("%v, differs at %q, want %q", o.Outcome, got, row.differs)
						}
						if o.Outcome == logbook.Fail && (o.Breach == nil || !strings.Contains(o.Breach.Broken, "another format")) {
							t.Errorf("the finding reads as %+v", o.Breach)
						}
					case o.Point == "legacy" && o.Outcome != row.forging:
						t.Errorf("%s at legacy: %v (%s), want %v", o.Check, o.Outcome, o.Because, row.forging)
					}
				}
			})
		})
	}
}

// says has the plan say the same format at every point.
func says(format string) func(*plan.Plan) {
	return func(p *plan.Plan) {
		for i := range p.Points {
			p.Points[i].Format = format
		}
	}
}
