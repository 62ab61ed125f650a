package prove

import (
	"slices"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/profile"
	"github.com/checkride/checkride/internal/verdict"
)

// judged rides a setup and judges its book.
func judged(t *testing.T, setup Setup, look func(t *testing.T, v *verdict.Verdict)) {
	t.Helper()
	ridden(t, setup, func(t *testing.T, entries []logbook.Entry) {
		v, err := verdict.Of(logbook.Entries(entries))
		if err != nil {
			t.Fatal(err)
		}
		look(t, &v)
	})
}

// The healthy sandbox keeps all profiles at once, which is stricter than any of them.
func TestHealthyByEveryProfile(t *testing.T) {
	t.Parallel()
	every := func(p *plan.Plan) {
		p.Profile = profile.Names()
		p.Limits.SecretLifetime = plan.Duration(90 * 24 * time.Hour) // what a plan in a file is held to
	}
	judged(t, Setup{Catalogue: checks.Catalogue(), Only: only(), Edit: every}, func(t *testing.T, v *verdict.Verdict) {
		for _, f := range v.Findings {
			t.Errorf("%s (%v): %s", f.ID, f.Severity, f.Headline)
		}
		if v.Required > 0 || len(v.Head.Unasked) > 0 {
			t.Errorf("%s; not asked for: %v", v.Line, v.Head.Unasked)
		}
	})
}

// A check that came after the catalogue that the plan pins runs, and its failure is shown and stops nobody.
func TestPinnedCatalogue(t *testing.T) {
	t.Parallel()
	all := checks.Catalogue()
	i := slices.IndexFunc(all, func(c *check.Check) bool {
		return c.Severity >= logbook.High && profile.Since(c.ID) == profile.Current && c.At == check.HomeServer
	})
	if i < 0 {
		t.Skip("no check came with the current catalogue")
	}
	newer := all[i]
	few := append(catalogue(t, "discover.issuer-is-itself"), newer)
	for pin, want := range map[string]verdict.Word{profile.Versions()[0]: verdict.Ready, profile.Current: verdict.NotReady} {
		t.Run(pin, func(t *testing.T) {
			judged(t, Setup{Catalogue: few, Defects: newer.Twin, Edit: func(p *plan.Plan) { p.Catalogue = pin }}, func(t *testing.T, v *verdict.Verdict) {
				if v.Word != want || len(v.Findings) != 1 || v.Findings[0].ID != newer.ID {
					t.Fatalf("pinned to %s: %s", pin, v.Line)
				}
				if scored := v.Findings[0].Apart() == ""; scored != (want == verdict.NotReady) {
					t.Errorf("pinned to %s: the finding is %q", pin, v.Findings[0].Apart())
				}
			})
		})
	}
}

// What only hygiene asks for is left off the roll of another profile, and is ridden if it is asked for by name. There it
// never blocks.
func TestHygiene(t *testing.T) {
	t.Parallel()
	low := catalogue(t, "authenticate.other-method")
	if low[0].Severity != logbook.Low {
		t.Fatal("the check of this test is not of low severity any more: take another")
	}
	few := append(catalogue(t, "discover.issuer-is-itself"), low...)
	for _, row := range []struct {
		name     string
		profiles []string
		only     []string
		findings int
	}{
		{"baseline", []string{"baseline"}, nil, 0},
		{"hygiene", []string{"baseline", "hygiene"}, nil, 1},
		{"by name", []string{"baseline"}, []string{low[0].ID, "discover.*"}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			edit := func(p *plan.Plan) { p.Profile, p.Blocks = row.profiles, plan.Severity(logbook.Low) }
			judged(t, Setup{Catalogue: few, Defects: low[0].Twin, Only: row.only, Edit: edit}, func(t *testing.T, v *verdict.Verdict) {
				if v.Word != verdict.Ready || len(v.Findings) != row.findings {
					t.Errorf("%s, %d findings", v.Line, len(v.Findings))
				}
				if unasked := len(v.Head.Unasked) > 0; unasked != (row.findings == 0) {
					t.Errorf("not asked for: %v", v.Head.Unasked)
				}
				if v.Blocking != 0 {
					t.Error("what is only shown blocks")
				}
			})
		})
	}
}

// Where the plan says nothing of binding, a profile demands it: what takes tokens without is a finding there, and none
// by the default.
func TestProfileDemandsBinding(t *testing.T) {
	t.Parallel()
	few := append(catalogue(t, "bind.unbound-token"), catalogue(t, "discover.issuer-is-itself")...)
	for name, want := range map[string]verdict.Word{"baseline": verdict.Ready, "fapi2": verdict.NotReady} {
		t.Run(name, func(t *testing.T) {
			edit := func(p *plan.Plan) {
				p.Profile = []string{name}
				for i := range p.Points {
					p.Points[i].Binding = false
				}
			}
			judged(t, Setup{Catalogue: few, Defects: few[0].Twin, Edit: edit}, func(t *testing.T, v *verdict.Verdict) {
				if v.Word != want {
					t.Errorf("by %s: %s", name, v.Line)
				}
				for _, f := range v.Findings {
					if f.Seen[0].Observation.Relevance == "" {
						t.Error("the finding does not say why it matters here")
					}
				}
			})
		})
	}
}
