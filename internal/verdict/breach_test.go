package verdict

import (
	"slices"
	"testing"

	"github.com/checkride/checkride/internal/logbook"
)

// A check that found the lesser of its promises broken says that one, with its own severity: a partner that is shut out
// is not announced as an old secret that lives on. Where the promise of the title is broken too, that is said.
func TestABreachSaysWhatWasBroken(t *testing.T) {
	outage := &logbook.Breach{Broken: "the new secret is refused", Why: "an outage", Fix: "tell the gateway", Severity: logbook.Medium}
	beside := func(points ...string) func(*logbook.Observation) {
		return func(o *logbook.Observation) {
			o.Breach = outage
			o.Cases = []logbook.Case{{Name: "a", Outcome: logbook.Fail, Points: points, Besides: outage.Broken}}
		}
	}
	both := func(o *logbook.Observation) {
		o.Cases = []logbook.Case{{Name: "a", Outcome: logbook.Fail, Points: []string{"gateway"}}, {Name: "b", Outcome: logbook.Fail, Points: []string{"legacy"}, Besides: outage.Broken}}
	}
	card := logbook.Card{ID: "rotate.secret", Title: "an old secret is refused", Why: "whoever found it", Fix: "end it", Severity: logbook.Critical}
	for _, row := range []struct {
		name     string
		ride     *ride
		headline string
		severity logbook.Severity
		why      string
		blocking int
		besides  []string
	}{
		{"the lesser alone", newRide().card(card).saw(card.ID, "AS", fail, beside("edge")), "the new secret is refused at edge", logbook.Medium, "an outage", 0, nil},
		{"at several places", newRide().card(card).saw(card.ID, "AS", fail, beside("edge", "legacy")), "the new secret is refused at edge and legacy", logbook.Medium, "an outage", 0, nil},
		{"the title's too", newRide().card(card).saw(card.ID, "AS", fail).saw(card.ID, "edge", fail, beside()), "an old secret is accepted at AS", logbook.Critical, "whoever found it", 1, []string{"the new secret is refused at edge"}},
		{"both in one place", newRide().card(card).saw(card.ID, "AS", fail, both), "an old secret is accepted at gateway", logbook.Critical, "whoever found it", 1, []string{"the new secret is refused at legacy"}},
	} {
		v := row.ride.judge(t)
		if len(v.Findings) != 1 {
			t.Errorf("%s: %d findings", row.name, len(v.Findings))
			continue
		}
		f := v.Findings[0]
		if f.Headline != row.headline || f.Severity != row.severity || f.Card.Why != row.why || v.Blocking != row.blocking || !slices.Equal(f.Besides, row.besides) {
			t.Errorf("%s: %q, %v, %q, %d blocking, besides %q; want %q, %v, %q, %d, %q", row.name, f.Headline, f.Severity, f.Card.Why, v.Blocking, f.Besides, row.headline, row.severity, row.why, row.blocking, row.besides)
		}
	}
}
