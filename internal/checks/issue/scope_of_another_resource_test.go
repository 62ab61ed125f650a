package issue

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/plan"
)

// Which scopes a resource knows only the plan can say: what no point lists, or an operation alone names, crosses nothing.
func TestCrossings(t *testing.T) {
	good := func() *plan.Plan {
		read := plan.Operation{Name: "list", Request: "GET /payments", Scopes: []string{"read"}}
		archive := plan.Operation{Name: "archive", Request: "GET /archive", Scopes: []string{"archive"}, Deny: true, RouteProof: "neighbour"}
		return &plan.Plan{
			Clients: []plan.Client{{Name: "partner", Scopes: []string{"read"}}, {Name: "neighbour", Scopes: []string{"read", "archive"}}},
			Points: []plan.Point{
				{Name: "edge", Resource: "https://edge.example", Scopes: []string{"read"}, Operations: []plan.Operation{read}},
				{Name: "old", Resource: "https://old.example", Scopes: []string{"read", "archive"}, Operations: []plan.Operation{read, archive}},
			},
		}
	}
	for name, row := range map[string]struct {
		alter func(p *plan.Plan)
		want  string
	}{
		"as it is": {func(*plan.Plan) {}, "neighbour: archive at old, not at edge, beside read"},
		"the partner may": {func(p *plan.Plan) {
			p.Clients[0].Scopes, p.Points[1].Operations[1].Deny = []string{"read", "archive"}, false
		}, "partner: archive at old, not at edge, beside read"},
		"no list":                      {func(p *plan.Plan) { p.Points[0].Scopes = nil }, ""},
		"both know it":                 {func(p *plan.Plan) { p.Points[0].Scopes = []string{"read", "archive"} }, ""},
		"nothing that the other knows": {func(p *plan.Plan) { p.Clients[1].Scopes = []string{"archive"} }, ""},
		"one resource":                 {func(p *plan.Plan) { p.Points[0].Resource = p.Points[1].Resource }, ""},
		"tokens of another server":     {func(p *plan.Plan) { p.Points[0].TokenFrom = "other" }, ""},
		"nobody who may":               {func(p *plan.Plan) { p.Points[1].Operations[1].RouteProof = "" }, ""},
		"another's object":             {func(p *plan.Plan) { p.Points[1].Operations[1].ObjectOf = "partner" }, ""},
		"it would be carried out":      {func(p *plan.Plan) { p.Points[1].Operations[1].Request = "POST /archive" }, ""},
		"it would not be": {func(p *plan.Plan) {
			p.Points[1].Operations[1].Request, p.Points[1].Operations[1].ReachedWhen = "POST /archive", plan.Oracle{Status: []int{422}}
		}, "neighbour: archive at old, not at edge, beside read"},
		"a role is needed as well":        {func(p *plan.Plan) { p.Points[1].Operations[1].Roles = []string{"archivist"} }, ""},
		"a scope is needed that it lacks": {func(p *plan.Plan) { p.Points[1].Operations[1].Scopes = []string{"archive", "admin"} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := good()
			row.alter(p)
			var got []string
			for _, c := range crossings(p) {
				got = append(got, c.role+": "+c.scope+" at "+c.at.Name+", not at "+c.other.Name+", beside "+strings.Join(c.own, " "))
			}
			if all := strings.Join(got, "; "); all != row.want {
				t.Errorf("got %q, want %q", all, row.want)
			}
		})
	}
}
