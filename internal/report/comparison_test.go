package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/checkride/checkride/internal/compare"
	"github.com/checkride/checkride/internal/logbook"
)

// liveRide is the rich ride as it would be in production: a point of another name, another limit and other metadata; some
// findings ended, one is new, one went out of sight, and one check is newer than staging's catalogue.
func liveRide() []logbook.Entry {
	var all []logbook.Entry
	for _, e := range richRide() {
		switch {
		case e.Head != nil:
			h := *e.Head
			h.Ride, h.Environment, h.Catalogue, h.Tool = "20261007-081428-77aa", "production", "2026-11", "checkride/v2"
			h.Points = slices.Clone(h.Points)
			h.Limits = map[string]string{"limits.revocation.push": "60s", "limits.revocation.introspect": "30s"}
			for i, p := range h.Points {
				if p.Name == "edge" {
					h.Points[i].Name = "front"
				}
			}
			e.Head = &h
		case e.Due != nil && e.Due.Point == "edge":
			d := *e.Due
			d.Point = "front"
			e.Due = &d
		case e.Observation != nil:
			o := *e.Observation
			if o.Point == "edge" {
				o.Point = "front"
			}
			switch {
			case o.Check == "enforce.no-token" && o.Point == "legacy":
				o.Outcome, o.Observed = logbook.Fail, evil
			case o.Check == "bind.without-its-certificate" && o.Outcome == logbook.Fail:
				o.Outcome, o.Because = logbook.Inconclusive, "the control got 429 "+evil
			case o.Check == "issue.response-not-stored":
				o.Outcome = logbook.Pass
			}
			e.Observation = &o
		case e.End != nil:
			all = append(all,
				logbook.Entry{Card: &logbook.Card{ID: "enforce.newer", Stage: logbook.Enforce, Title: "what came later is refused", Severity: logbook.High, Since: "2026-11"}},
				logbook.Entry{Due: &logbook.Due{Check: "enforce.newer", Point: "legacy", Required: true}},
				logbook.Entry{Observation: &logbook.Observation{Check: "enforce.newer", Point: "legacy", Outcome: logbook.Fail, Asserted: 1}},
				served("AS", `{"issuer":"https://as.example","grant_types_supported":["client_credentials","`+strings.ReplaceAll(evil, "\x1b", `\u001b`)+`"]}`))
		}
		all = append(all, e)
	}
	return all
}

func stagingRide() []logbook.Entry {
	all := richRide()
	return slices.Insert(all, len(all)-1, served("AS", `{"issuer":"https://staging.example","grant_types_supported":["client_credentials","password"]}`))
}

func served(point, body string) logbook.Entry {
	return logbook.Entry{Exchange: &logbook.Exchange{Point: point, Method: "GET", URL: "https://as.example/.well-known/oauth-authorization-server", Status: 200, Response: logbook.Message{Body: body, Size: int64(len(body))}}}
}

// nightRide is the rich ride a night later, in which the times grew.
func nightRide() []logbook.Entry {
	var all []logbook.Entry
	for _, e := range richRide() {
		switch {
		case e.Head != nil:
			h := *e.Head
			h.Ride, h.Started = "20261007-081428-0b0b", h.Started.Add(24*time.Hour)
			e.Head = &h
		case e.Observation != nil && len(e.Observation.Bounds) > 0:
			o := *e.Observation
			o.Bounds = slices.Clone(o.Bounds)
			for i := range o.Bounds {
				o.Bounds[i].Low += 5 * max(o.Bounds[i].High, o.Bounds[i].Limit)
				o.Bounds[i].High = o.Bounds[i].Low + time.Second
				o.Bounds[i].Never = false
			}
			e.Observation = &o
		}
		all = append(all, e)
	}
	return all
}

func comparing(t *testing.T, first, second []logbook.Entry, mapping ...compare.Mapping) *compare.Comparison {
	t.Helper()
	var rides [2]*compare.Ride
	for i, entries := range [][]logbook.Entry{first, second} {
		ride, err := compare.Read(logbook.Entries(entries))
		if err != nil {
			t.Fatal(err)
		}
		rides[i] = ride
	}
	c, err := compare.Of(rides[0], rides[1], mapping)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestComparison(t *testing.T) {
	for name, c := range map[string]*compare.Comparison{
		"environments": comparing(t, stagingRide(), liveRide(), compare.Mapping{First: "edge", Second: "front"}),
		"unmapped":     comparing(t, stagingRide(), liveRide()),
		"night":        comparing(t, richRide(), nightRide()),
		"same":         comparing(t, healthyRide(), healthyRide()),
		"cut":          comparing(t, healthyRide(), cutRide()),
	} {
		t.Run(name, func(t *testing.T) {
			text := func(opts Options) []byte {
				var out bytes.Buffer
				if err := Comparison(&out, c, opts); err != nil {
					t.Fatal(err)
				}
				return out.Bytes()
			}
			summary := text(Options{Width: 100})
			golden(t, "comparison-"+name+".txt", summary)
			if name == "environments" {
				golden(t, "comparison-narrow.txt", text(Options{Width: 60, Color: true}))
			}
			if bytes.ContainsAny(summary, "\x1b\u202e\u200b") {
				t.Error("a stranger's signs reach the terminal")
			}
			for width := 60; width <= 160; width += 25 {
				for line := range strings.SplitSeq(string(text(Options{Width: width})), "\n") {
					if n := utf8.RuneCountInString(line); n > width {
						t.Errorf("%d columns at a width of %d: %s", n, width, line)
					}
				}
			}

			var out bytes.Buffer
			if err := ComparisonJSON(&out, c); err != nil {
				t.Fatal(err)
			}
			if name == "environments" || name == "same" {
				golden(t, "comparison-"+name+".json", out.Bytes())
			}
			var read map[string]any
			if err := json.Unmarshal(out.Bytes(), &read); err != nil {
				t.Fatal(err)
			}
			for key, value := range read {
				if value == nil {
					t.Errorf("%s is null; an empty list is []", key)
				}
			}
			if read["exit"] != float64(c.Exit()) || read["result"] != c.Word.String() || read["line"] != c.Line {
				t.Errorf("the forms do not agree: %v, %v, %v", read["exit"], read["result"], read["line"])
			}
		})
	}
}
