package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/checkride/checkride/internal/compare"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// ComparisonVersion is the version of the JSON form of a comparison. It grows when a member is taken away or changes its
// meaning; new members may come at any time.
const ComparisonVersion = 1

// As in the JSON report times are seconds, dates are RFC 3339, enums are words. What belongs to the two rides stands in
// first and second; an empty member is left out.
type jsonComparison struct {
	Version int          `json:"version"`
	Result  compare.Word `json:"result"` // same, drift, cannot tell
	Line    string       `json:"line"`
	Exit    int          `json:"exit"`
	First   jsonSide     `json:"first"`
	Second  jsonSide     `json:"second"`
	Notices []jsonNotice `json:"notices"`
	Points  []jsonPair   `json:"points"`

	Findings  []jsonChange     `json:"findings"`  // new, found, ended, each the worst first; by cause
	Checks    []jsonCompared   `json:"checks"`    // each check at each place that is not the same
	Same      map[string]int   `json:"same"`      // all others, by their outcome in the second ride
	Times     []jsonTime       `json:"times"`     // measured times that differ for certain, notable ones first
	Plans     []jsonDifference `json:"plans"`     // limits, what points promise, profiles, versions, and the rest of the plans
	Documents []jsonDocument   `json:"documents"` // of metadata, the same ones too

	Compared jsonExtent `json:"compared"`
}

type jsonSide struct {
	Label       string       `json:"label"`
	Ride        string       `json:"ride"`
	Started     time.Time    `json:"started"`
	Tool        string       `json:"tool,omitempty"`
	PlanName    string       `json:"plan_name"`
	PlanSHA256  string       `json:"plan_sha256"`
	Environment string       `json:"environment"`
	Profile     []string     `json:"profile,omitempty"`
	Catalogue   string       `json:"catalogue,omitempty"`
	Pinned      string       `json:"catalogue_pinned,omitempty"`
	Only        []string     `json:"only,omitempty"`
	Cut         string       `json:"cut,omitempty"`
	Verdict     verdict.Word `json:"verdict"`
	Line        string       `json:"line"`
}

type jsonNotice struct {
	Text   string         `json:"text"`
	Detail string         `json:"detail,omitempty"`
	Weight compare.Weight `json:"weight"` // noted, unknown, drift
}

type jsonPair struct {
	Kind       string `json:"kind"`
	First      string `json:"first,omitempty"` // absent: the first ride has no such point
	Second     string `json:"second,omitempty"`
	Known      bool   `json:"known,omitempty"` // --map says that it has no counterpart
	Uncompared int    `json:"results_not_compared,omitempty"`
}

type jsonChange struct {
	Change    compare.Change   `json:"change"` // new, found, ended
	ID        string           `json:"id"`
	Severity  logbook.Severity `json:"severity"`
	Blocking  bool             `json:"blocking"`
	Waived    bool             `json:"waived,omitempty"`
	Headline  string           `json:"headline"`
	Points    []string         `json:"points"`
	SameCause []string         `json:"same_cause,omitempty"` // other checks
}

type jsonCompared struct {
	Check    string           `json:"check"`
	Point    string           `json:"point"`
	Severity logbook.Severity `json:"severity,omitempty"`
	Change   compare.Change   `json:"change"`
	Weight   compare.Weight   `json:"weight"`
	Because  string           `json:"because,omitempty"` // of what is undecided or not comparable
	First    *jsonMark        `json:"first,omitempty"`   // absent: not on the first ride's roll
	Second   *jsonMark        `json:"second,omitempty"`
}

type jsonMark struct {
	Mark    verdict.Mark `json:"outcome"`
	Because string       `json:"because,omitempty"`
	Only    []string     `json:"failing_cases_alone,omitempty"`
}

type jsonTime struct {
	Check  string         `json:"check"`
	Point  string         `json:"point"`
	Name   string         `json:"name"`
	First  jsonBound      `json:"first"`
	Second jsonBound      `json:"second"`
	By     float64        `json:"longer_by_at_least_seconds"` // negative: shorter
	Weight compare.Weight `json:"weight"`
}

type jsonDifference struct {
	What   string         `json:"what"`
	First  string         `json:"first,omitempty"`
	Second string         `json:"second,omitempty"`
	Weight compare.Weight `json:"weight"`
}

type jsonDocument struct {
	Point   string         `json:"point"`
	Kind    string         `json:"kind"`
	State   string         `json:"state"` // same bytes, same but for addresses, differs, not comparable
	Weight  compare.Weight `json:"weight"`
	Because string         `json:"because,omitempty"`
	First   string         `json:"first_sha256,omitempty"`
	Second  string         `json:"second_sha256,omitempty"`
	Members []jsonMember   `json:"members,omitempty"`
}

type jsonMember struct {
	Name   string   `json:"name"`
	First  []string `json:"only_first,omitempty"`
	Second []string `json:"only_second,omitempty"`
}

type jsonExtent struct {
	Results   int `json:"results"` // decided by both, and alike
	Limits    int `json:"limits"`
	Times     int `json:"times"`
	Documents int `json:"documents"`
}

// ComparisonJSON writes a comparison for programs.
func ComparisonJSON(w io.Writer, c *compare.Comparison) error {
	out := jsonComparison{
		Version: ComparisonVersion, Result: c.Word, Line: c.Line, Exit: c.Exit(), First: newJSONSide(c, 0), Second: newJSONSide(c, 1),
		Notices: []jsonNotice{}, Points: []jsonPair{}, Findings: []jsonChange{}, Checks: []jsonCompared{}, Same: tallied(c.Alike), Times: []jsonTime{},
		Plans: []jsonDifference{}, Documents: []jsonDocument{},
		Compared: jsonExtent{c.Alike.Total(), c.Limits, c.Timed, c.Compared()},
	}
	for _, n := range c.Notices {
		out.Notices = append(out.Notices, jsonNotice(n))
	}
	for _, p := range c.Points {
		out.Points = append(out.Points, jsonPair{p.Kind, p.Names[0], p.Names[1], p.Known && !p.Matched(), p.Cells})
	}
	for _, f := range c.Findings {
		out.Findings = append(out.Findings, jsonChange{f.Change, f.ID, f.Severity, f.Blocking, f.Waived, f.Headline, f.Points, f.Also})
	}
	for i := range c.Checks {
		out.Checks = append(out.Checks, newJSONCompared(c, &c.Checks[i]))
	}
	for _, t := range c.Times {
		out.Times = append(out.Times, jsonTime{t.Check, t.Point, t.Name, newJSONBound(&t.Bounds[0]), newJSONBound(&t.Bounds[1]), t.By.Seconds(), t.Weight})
	}
	for _, d := range c.Plans {
		out.Plans = append(out.Plans, jsonDifference{d.What, d.Values[0], d.Values[1], d.Weight})
	}
	for _, d := range c.Documents {
		one := jsonDocument{Point: d.Point, Kind: d.Kind, State: d.State, Weight: d.Weight, Because: d.Why, First: d.Digests[0], Second: d.Digests[1]}
		for _, m := range d.Members {
			one.Members = append(one.Members, jsonMember{m.Name, m.Only[0], m.Only[1]})
		}
		out.Documents = append(out.Documents, one)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(out)
	if err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	return nil
}

func newJSONSide(c *compare.Comparison, i int) jsonSide {
	r := c.Sides[i]
	h := &r.Head
	return jsonSide{
		Label: c.Labels[i], Ride: h.Ride, Started: h.Started, Tool: h.Tool, PlanName: h.Name, PlanSHA256: h.PlanDigest, Environment: h.Environment,
		Profile: h.Profile, Catalogue: h.Catalogue, Pinned: h.Pinned, Only: h.Only, Cut: r.Cut, Verdict: r.Word, Line: r.Line,
	}
}

func newJSONCompared(c *compare.Comparison, one *compare.Check) jsonCompared {
	out := jsonCompared{Check: one.Card.ID, Point: one.Point, Severity: one.Card.Severity, Change: one.Change, Weight: one.Weight}
	if one.Change == compare.Undecided || one.Change == compare.Found || one.Change == compare.Apart {
		out.Because = c.Reason(one)
	}
	marks := [2]*jsonMark{}
	for i, cell := range one.Cells {
		if cell != nil {
			marks[i] = &jsonMark{cell.Mark, cell.Because, one.Cases[i]}
		}
	}
	out.First, out.Second = marks[0], marks[1]
	return out
}
