package verdict

import (
	"testing"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

func TestFollow(t *testing.T) {
	late := func(high time.Duration, never bool) []logbook.Bound {
		return []logbook.Bound{{Name: "watched", Low: high - time.Second, High: high, Limit: 2 * time.Second, Never: never, Outcome: logbook.Fail}}
	}
	expired := func(high time.Duration) []logbook.Bound {
		bounds := late(high, false)
		bounds[0].Expired = true
		return bounds
	}
	revoke := logbook.Card{ID: "revoke.token", Severity: logbook.Critical}
	offboard := logbook.Card{ID: "offboard.token", Severity: logbook.Critical, Follows: []string{"revoke.*"}}
	fail := func(card logbook.Card, point string, o logbook.Observation) Cell {
		return Cell{Check: card.ID, Point: point, Card: card, Mark: Fail, Observation: &o}
	}
	for _, row := range []struct {
		name  string
		cells []Cell
		want  string
	}{
		{"the same place, and it lasts as long", []Cell{fail(revoke, "edge", logbook.Observation{Bounds: late(6*time.Second, false)}), fail(offboard, "edge", logbook.Observation{Bounds: late(6*time.Second, false)})}, "revoke.token"},
		{"another place", []Cell{fail(revoke, "legacy", logbook.Observation{}), fail(offboard, "edge", logbook.Observation{})}, ""},
		{"what never ends is not explained by what ends", []Cell{fail(revoke, "edge", logbook.Observation{Bounds: late(6*time.Second, false)}), fail(offboard, "edge", logbook.Observation{Bounds: late(9*time.Second, true)})}, ""},
		{"what lives until it expires does not explain what something else ended", []Cell{fail(revoke, "edge", logbook.Observation{Bounds: expired(30 * time.Second)}), fail(offboard, "edge", logbook.Observation{Bounds: late(9*time.Second, false)})}, ""},
		{"nor does what lived until the watch ended", []Cell{fail(revoke, "edge", logbook.Observation{Bounds: late(20*time.Second, true)}), fail(offboard, "edge", logbook.Observation{Bounds: late(9*time.Second, false)})}, ""},
		{"both live until they expire", []Cell{fail(revoke, "edge", logbook.Observation{Bounds: expired(30 * time.Second)}), fail(offboard, "edge", logbook.Observation{Bounds: expired(29 * time.Second)})}, "revoke.token"},
		{"what lives until it expires explains what lived until the watch ended", []Cell{fail(revoke, "edge", logbook.Observation{Bounds: expired(30 * time.Second)}), fail(offboard, "edge", logbook.Observation{Bounds: late(9*time.Second, true)})}, "revoke.token"},
		{"all places that the cases blame", []Cell{fail(revoke, "edge", logbook.Observation{}), fail(offboard, "stack", logbook.Observation{Cases: []logbook.Case{{Outcome: logbook.Fail, Points: []string{"edge"}}}})}, "revoke.token"},
		{"one place more", []Cell{fail(revoke, "edge", logbook.Observation{}), fail(offboard, "stack", logbook.Observation{Cases: []logbook.Case{{Outcome: logbook.Fail, Points: []string{"edge"}}, {Outcome: logbook.Fail, Points: []string{"main"}}}})}, ""},
		{"a cause that passes explains nothing", []Cell{{Check: revoke.ID, Point: "edge", Card: revoke, Mark: Pass, Observation: &logbook.Observation{}}, fail(offboard, "edge", logbook.Observation{})}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			follow(row.cells)
			for _, c := range row.cells {
				if c.Check == offboard.ID && c.Cause != row.want {
					t.Errorf("cause %q, want %q", c.Cause, row.want)
				}
			}
		})
	}
}
