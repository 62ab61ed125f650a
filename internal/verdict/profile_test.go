package verdict

import (
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/logbook"
)

// A failure of a check that is only shown, or is not scored, stands in the report and stops nobody.
func TestApart(t *testing.T) {
	ok := logbook.Card{ID: "enforce.good", Title: "a", Severity: logbook.Critical}
	shown := logbook.Card{ID: "enforce.shown", Title: "b", Severity: logbook.Critical, Shown: true}
	newer := logbook.Card{ID: "enforce.newer", Title: "c", Severity: logbook.Critical, NotScored: true}
	real := logbook.Card{ID: "enforce.real", Title: "d", Severity: logbook.High}
	observe := func(id string, outcome logbook.Outcome, cause string) logbook.Entry {
		return logbook.Entry{Observation: &logbook.Observation{Check: id, Point: "edge", Outcome: outcome, Asserted: 1, Cause: cause}}
	}
	due := func(c logbook.Card) []logbook.Entry {
		return []logbook.Entry{{Card: &c}, {Due: &logbook.Due{Check: c.ID, Point: "edge", Required: !c.Shown && !c.NotScored}}}
	}
	ride := func(cards []logbook.Card, observed ...logbook.Entry) Verdict {
		t.Helper()
		entries := []logbook.Entry{{Head: &logbook.Head{Blocks: logbook.High, Points: []logbook.Point{{Name: "edge"}}, Pinned: "2026-10"}}}
		for _, c := range cards {
			entries = append(entries, due(c)...)
		}
		entries = append(entries, observed...)
		entries = append(entries, logbook.Entry{End: &logbook.End{}})
		v, err := Of(logbook.Entries(entries))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := ride([]logbook.Card{ok, shown, newer}, observe(ok.ID, logbook.Pass, ""), observe(shown.ID, logbook.Fail, ""), observe(newer.ID, logbook.Fail, ""))
	if v.Word != Ready || v.Blocking != 0 || len(v.Findings) != 2 || !strings.Contains(v.Line, "1 finding not scored") {
		t.Errorf("%s: %d blocking of %d findings", v.Line, v.Blocking, len(v.Findings))
	}
	for _, f := range v.Findings {
		want := map[string]string{shown.ID: "only shown", newer.ID: "not scored"}[f.ID]
		if f.Apart() != want {
			t.Errorf("%s: %q, want %q", f.ID, f.Apart(), want)
		}
	}
	v = ride([]logbook.Card{ok, shown, newer}, observe(ok.ID, logbook.Pass, ""), observe(shown.ID, logbook.Inconclusive, ""))
	if v.Word != Ready {
		t.Errorf("what is only shown, and what is not scored, is undecided: %s", v.Line)
	}
	v = ride([]logbook.Card{ok, newer, real}, observe(ok.ID, logbook.Pass, ""), observe(newer.ID, logbook.Fail, ""), observe(real.ID, logbook.Fail, newer.ID))
	if v.Word != NotReady || len(v.Findings) != 1 || v.Findings[0].Apart() != "" {
		t.Errorf("a scored failure hides under a cause that is not scored: %s", v.Line)
	}
	v = ride([]logbook.Card{ok, newer, real}, observe(ok.ID, logbook.Pass, ""), observe(newer.ID, logbook.Fail, ""), observe(real.ID, logbook.Fail, ""))
	if v.Word != NotReady || v.Blocking != 1 || v.Findings[0].ID != real.ID {
		t.Errorf("what blocks does not come first: %s", v.Line)
	}
}
