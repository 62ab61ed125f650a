package report

import (
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// Every report says by which profile and catalogue was judged, what does not count and why, and why a finding matters on
// this stack.
func TestProfileInEveryReport(t *testing.T) {
	fails := func(id string) *logbook.Observation {
		return &logbook.Observation{Check: id, Point: "edge", Outcome: logbook.Fail, Asserted: 1, Expected: "401", Observed: "200", Relevance: "the metadata offers " + id}
	}
	card := func(c logbook.Card) *logbook.Card {
		c.Title, c.Why, c.Fix, c.Stage = c.ID+" is refused", "it is why", "mend it", logbook.Enforce
		return &c
	}
	entries := []logbook.Entry{
		{Head: &logbook.Head{
			Ride: "r", Name: "n", Started: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), Blocks: logbook.High, Points: []logbook.Point{{Name: "edge", Kind: "point"}},
			Profile: []string{"elevated", "hygiene"}, Catalogue: "2026-11", Pinned: "2026-10", Unasked: []string{"enforce.left"},
		}},
		{Card: card(logbook.Card{ID: "enforce.raised", Severity: logbook.Critical, Usual: logbook.Medium, Placed: "a token must be bound", Since: "2026-10"})},
		{Card: card(logbook.Card{ID: "enforce.newer", Severity: logbook.Critical, NotScored: true, Since: "2026-11"})},
		{Card: card(logbook.Card{ID: "enforce.shown", Severity: logbook.Low, Shown: true, Since: "2026-10"})},
		{Due: &logbook.Due{Check: "enforce.raised", Point: "edge", Required: true}},
		{Due: &logbook.Due{Check: "enforce.newer", Point: "edge"}},
		{Due: &logbook.Due{Check: "enforce.shown", Point: "edge"}},
		{Observation: fails("enforce.raised")}, {Observation: fails("enforce.newer")}, {Observation: fails("enforce.shown")},
		{End: &logbook.End{}},
	}
	for name, text := range map[string]string{
		"terminal": string(write(t, entries, terminal(Options{Width: 140}))),
		"brief":    string(write(t, entries, terminal(Options{Width: 140, Brief: true}))),
		"JSON":     string(write(t, entries, JSON)),
		"HTML":     string(write(t, entries, HTML)),
	} {
		wanted := []string{"not scored", "only shown", "he metadata offers enforce.raised"}
		switch name {
		case "terminal":
			wanted = append(wanted, "1 check not asked for by the profile elevated, hygiene", "critical by the plan's profile, else medium: a token must be bound", "it is why")
		case "JSON":
			wanted = append(wanted, `"catalogue_pinned": "2026-10"`, `"raised_because": "a token must be bound"`, `"not_asked_for"`, `"since": "2026-11"`, `"blocking": 1,`)
		case "HTML":
			wanted = append(wanted, "elevated, hygiene", "1 check not asked for", "the plan pins 2026-10", "a token must be bound", "It is why")
		}
		for _, want := range wanted {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
}
