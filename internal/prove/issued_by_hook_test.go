package prove

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// A house that gives nobody the key of its CA lets a hook issue: every partner of the ride then has a certificate of that
// CA, renewals are tested, and what needs a certificate with a fault is told as a gap. So it is for a client that exists,
// if the plan permits that it is rotated.
func TestCertificatesOfTheOperatorsCA(t *testing.T) {
	only := []string{"rotate.renewed-certificate", "bind.renewed-certificate", "bind.with-anothers-certificate", "offboard.withdrawn-certificate", "authenticate.expired-certificate"}
	noCA := func(p *plan.Plan) {
		for i := range p.Clients {
			if c := p.Clients[i].Certificate; c != nil && c.Issue != nil {
				c.Issue.CA, c.Issue.Key = plan.Reference{}, plan.Reference{}
			}
		}
	}
	for _, row := range []struct {
		name    string
		may     []string // of given clients
		defects defect.Set
		want    map[string]string
	}{
		{name: "registered", want: map[string]string{
			"rotate.renewed-certificate": "pass", "bind.renewed-certificate": "pass", "bind.with-anothers-certificate": "pass",
			"offboard.withdrawn-certificate": "pass", "authenticate.expired-certificate": "left out: names no CA of which the ride has the key",
		}},
		{name: "registered, and edge has certificates on file", defects: defect.Set{FirstCertificateKept: true}, want: map[string]string{
			"rotate.renewed-certificate": "fail", "authenticate.expired-certificate": "left out: names no CA of which the ride has the key",
		}},
		{name: "given, and may be rotated", may: []string{"read", "rotate"}, want: map[string]string{
			"rotate.renewed-certificate": "pass", "bind.renewed-certificate": "pass",
		}},
		{name: "given, and may not", may: []string{"read"}, want: map[string]string{
			"rotate.renewed-certificate": "left out: needs a client that may `rotate`", "bind.renewed-certificate": "left out: needs a client that may `rotate`",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := newOperator(t)
			setup := Setup{Dir: o.dir, Catalogue: checks.Catalogue(), Only: only, Defects: row.defects, Edit: noCA}
			if row.may != nil {
				given := o.given(row.may...)
				setup.Beside = o.beside("partner", "neighbour")
				setup.Edit = func(p *plan.Plan) { noCA(p); given(p) }
			}
			ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
				told := map[string][]string{}
				for _, e := range entries {
					switch {
					case e.Due != nil && e.Due.LeftOut != "":
						told[e.Due.Check] = append(told[e.Due.Check], "left out: "+e.Due.LeftOut)
					case e.Observation != nil:
						told[e.Observation.Check] = append(told[e.Observation.Check], e.Observation.Outcome.String()+" "+e.Observation.Observed+e.Observation.Because)
					}
				}
				for id, want := range row.want {
					kind, reason, _ := strings.Cut(want, ": ")
					if len(told[id]) == 0 {
						t.Errorf("nothing is told of %s", id)
					}
					for _, got := range told[id] {
						if !strings.HasPrefix(got, kind) || !strings.Contains(got, reason) {
							t.Errorf("%s: %q, want %q", id, got, want)
						}
					}
				}
			})
		})
	}
}
