package prove

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// What a registration must be follows from the plan as much as from the stack: whether there is a listener, from where
// keys may come, how long a secret may live, and how else a client is ended.
func TestRegistrationByThePlan(t *testing.T) {
	noDeletion := func(component string, h http.Handler) http.Handler {
		if component != "as" {
			return h
		}
		return ridersOnly(altered(h, func(r *http.Request, said *httptest.ResponseRecorder) {
			if r.Method == "DELETE" {
				say(said, 405, "application/json", `{"error":"invalid_request"}`)
			}
		}), h)
	}
	for _, row := range []struct {
		name, check string
		defects     defect.Set
		edit        func(*plan.Plan)
		around      func(string, http.Handler) http.Handler
		want        logbook.Outcome
		says        string // what is observed, why it could not be told, or a note
	}{
		{"no listener, and all is refused", "register.keys-from-anywhere", defect.Set{}, func(p *plan.Plan) { p.Canary = nil }, nil, logbook.Pass, "no listener"},
		{"no listener, and http is registered", "register.keys-from-anywhere", defect.Set{JWKSURIUnchecked: true}, func(p *plan.Plan) { p.Canary = nil }, nil, logbook.Fail, "registered, with http"},
		{"the agreement leaves hosts open, and http is fetched", "register.keys-from-anywhere", defect.Set{JWKSURIUnchecked: true}, func(p *plan.Plan) { p.Agreement.KeyHosts = nil }, nil, logbook.Fail, "fetched by GET"},
		{"a certificate that the stack does not trust", "register.keys-from-anywhere", defect.Set{JWKSURIUnchecked: true}, func(p *plan.Plan) { p.Canary.Cert, p.Canary.Key = plan.Reference{}, plan.Reference{} }, nil, logbook.Fail, "fetched by GET"},
		{"a secret that ends later than the plan wants", "register.secret-lifetime", defect.Set{}, func(p *plan.Plan) { p.Limits.SecretLifetime = plan.Duration(3600e9) }, nil, logbook.Fail, "limits.secret_lifetime is 1h"},
		{"no deletion, and a hook", "register.removable", defect.Set{}, nil, noDeletion, logbook.Pass, "the hook delete_client"},
		{"no deletion, and no hook", "register.removable", defect.Set{}, func(p *plan.Plan) {
			for _, hook := range []string{plan.DeleteClient, plan.Deprovision, plan.Suspend} {
				delete(p.Hooks, hook)
			}
		}, noDeletion, logbook.Fail, "shows no other way"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			setup := Setup{Catalogue: checks.Catalogue(), Only: []string{row.check}, Defects: row.defects, Edit: row.edit, Around: row.around}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				for _, e := range entries {
					o := e.Observation
					if o == nil {
						continue
					}
					if said := o.Observed + o.Because + strings.Join(o.Notes, "; "); o.Outcome != row.want || !strings.Contains(said, row.says) {
						t.Errorf("%v, want %v; it says %q; cases %v", o.Outcome, row.want, said, o.Cases)
					}
				}
			})
		})
	}
}
