package prove

import (
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// Where a plan names neither issuer nor token endpoint, the operator's hook mints the tokens, bound to the partner's
// certificate: the points are tested as with any others.
func TestTokensMintedByAHook(t *testing.T) {
	for want, defects := range map[logbook.Outcome]defect.Set{logbook.Pass: {}, logbook.Fail: {BindingOptional: true}} {
		t.Run(want.String(), func(t *testing.T) {
			t.Parallel()
			o := newOperator(t)
			given := o.given("read")
			setup := Setup{
				Dir: o.dir, Catalogue: checks.Catalogue(), Defects: defects, Only: []string{"bind.without-its-certificate"}, Beside: o.beside("partner", "neighbour"),
				Edit: func(p *plan.Plan) {
					given(p)
					p.AuthorizationServers = map[string]plan.AuthorizationServer{"main": {CA: plan.Reference{Text: "file:ca.pem"}}}
				},
			}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				seen, as := 0, 0
				for _, e := range entries {
					x := e.Observation
					if x == nil {
						continue
					}
					seen++
					if x.Outcome == want {
						as++
					} else if x.Outcome != logbook.Pass {
						t.Errorf("%s at %s: %v; observed %s; because %s", x.Check, x.Point, x.Outcome, x.Observed, x.Because)
					}
				}
				if seen != 3 || as == 0 {
					t.Errorf("%d observations, %d of them %v", seen, as, want)
				}
			})
		})
	}
}
