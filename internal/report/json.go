package report

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// JSONVersion is the version of the JSON report. It grows when a field is taken away or changes its meaning; new fields
// may come at any time.
const JSONVersion = 1

// Times in the JSON report are seconds, dates are RFC 3339, enums are words, and empty members are left out.
type jsonReport struct {
	Version  int            `json:"version"`
	Verdict  verdict.Word   `json:"verdict"` // ready, not ready, cannot tell
	Line     string         `json:"line"`
	Exit     int            `json:"exit"`
	Blocking int            `json:"blocking"`
	Ride     jsonRide       `json:"ride"`
	Counts   jsonCounts     `json:"counts"`
	Points   []jsonPoint    `json:"points"`
	Findings []jsonFinding  `json:"findings"` // worst first
	Unsure   []jsonGroup    `json:"could_not_tell"`
	Gaps     []jsonGap      `json:"not_tested_declared"`
	Untested []jsonGroup    `json:"not_tested"`
	Absent   []jsonGroup    `json:"not_applicable"`
	Waivers  []jsonWaiver   `json:"waivers"`
	Checks   []jsonCheck    `json:"checks"`    // the matrix, in the order of the stages
	Measured []jsonMeasured `json:"measured"`  // all bounds, those within their limits too
	Rotation []jsonOpening  `json:"rotations"` // how soon what was new opened each place
	Odd      *jsonOdd       `json:"odd_point,omitempty"`
	Promises []jsonPromise  `json:"promises"`
	Notes    []logbook.Note `json:"notes"`
	Left     []string       `json:"left_behind"`
}

type jsonRide struct {
	ID          string     `json:"id"`
	Tool        string     `json:"tool,omitempty"`
	Started     time.Time  `json:"started"`
	Finished    *time.Time `json:"finished,omitempty"`
	Seconds     float64    `json:"seconds"`
	Cut         string     `json:"cut,omitempty"` // how the book ends too early
	Interrupted string     `json:"interrupted,omitempty"`
	Only        []string   `json:"only,omitempty"`
	Plan        string     `json:"plan"`
	PlanName    string     `json:"plan_name"`
	PlanSHA256  string     `json:"plan_sha256"`
	Environment string     `json:"environment"`
	Partner     string     `json:"partner,omitempty"`
	Owner       string     `json:"owner,omitempty"`   // of the agreement
	Purpose     string     `json:"purpose,omitempty"` // of the access
	Blocks      string     `json:"blocks"`
	Profile     []string   `json:"profile,omitempty"`
	Catalogue   string     `json:"catalogue,omitempty"`        // the tool's version of it
	Pinned      string     `json:"catalogue_pinned,omitempty"` // the plan's
	Unasked     []string   `json:"not_asked_for,omitempty"`    // checks that the profile leaves out
	Requests    int        `json:"requests"`
	PeakRate    int        `json:"peak_rate"`
	PeakMemory  int64      `json:"peak_memory_bytes"`

	Permission *logbook.Permission `json:"authorization,omitempty"` // to do more than harmless things

	Parked *logbook.Parked `json:"parked,omitempty"` // clients that people made by hand

	FirstCall float64        `json:"first_call_seconds,omitempty"` // from the ride's start to the partner's first accepted call
	Hooks     map[string]int `json:"hooks,omitempty"`              // how often each hook was played

	Attached []logbook.Attached `json:"attached,omitempty"`
}

type jsonCounts struct {
	Checks       map[string]int            `json:"checks"`
	Observations map[string]int            `json:"observations"`
	ByStage      map[string]map[string]int `json:"checks_by_stage"`
	ByPoint      map[string]map[string]int `json:"observations_by_point"`
}

type jsonPoint struct {
	Name       string `json:"name"`
	Kind       string `json:"kind,omitempty"`
	URL        string `json:"url,omitempty"`
	Revocation string `json:"revocation,omitempty"`
}

type jsonFinding struct {
	ID        string              `json:"id"`
	Number    int                 `json:"number"`
	Severity  logbook.Severity    `json:"severity"`
	Blocking  bool                `json:"blocking"`
	Apart     string              `json:"apart,omitempty"` // why it does not count: not scored, only shown
	Usual     logbook.Severity    `json:"usual_severity,omitempty"`
	Raised    string              `json:"raised_because,omitempty"`
	Since     string              `json:"since,omitempty"` // version of the catalogue
	Headline  string              `json:"headline"`
	Besides   []string            `json:"besides,omitempty"` // what else is broken, each with its places
	Title     string              `json:"title"`
	Stage     logbook.Stage       `json:"stage"`
	Why       string              `json:"why,omitempty"`
	Fix       string              `json:"fix,omitempty"`
	Refs      []logbook.Reference `json:"references,omitempty"`
	Twin      string              `json:"twin,omitempty"`
	Command   string              `json:"command"`
	At        []jsonCell          `json:"at"`
	SameCause []jsonCell          `json:"same_cause,omitempty"`
}

type jsonCell struct {
	Check     string       `json:"check"`
	Point     string       `json:"point"`
	Mark      verdict.Mark `json:"outcome"`
	Expected  string       `json:"expected,omitempty"`
	Observed  string       `json:"observed,omitempty"`
	Differs   string       `json:"differs,omitempty"`
	Relevance string       `json:"relevance,omitempty"`
	Weak      bool         `json:"weak_proof,omitempty"`
	Promise   string       `json:"promise,omitempty"`
	Line      int          `json:"plan_line,omitempty"`
	Bounds    []jsonBound  `json:"bounds,omitempty"`
	Cases     []jsonCase   `json:"cases,omitempty"`
	Exchanges []uint64     `json:"exchanges,omitempty"` // serials in the logbook
	Records   []uint64     `json:"records,omitempty"`
	Notes     []string     `json:"notes,omitempty"`
}

type jsonBound struct {
	Name     string          `json:"name"`
	Outcome  logbook.Outcome `json:"outcome"`
	Low      float64         `json:"low_seconds"`
	High     *float64        `json:"high_seconds,omitempty"` // absent: never refused
	Limit    float64         `json:"limit_seconds"`
	Interval float64         `json:"interval_seconds"`
	Expired  bool            `json:"until_expiry,omitempty"`
	Flapped  int             `json:"flapped,omitempty"`
	Probes   int             `json:"probes"`
	Accepted int             `json:"accepted"`
	Control  string          `json:"control,omitempty"`
}

type jsonMeasured struct {
	Check string `json:"check"`
	Point string `json:"point"`
	jsonBound
}

type jsonOpening struct {
	Check string  `json:"check"`
	What  string  `json:"what"`
	At    string  `json:"at"`
	After float64 `json:"within_seconds"` // of the rotation
	Never bool    `json:"still_refused,omitempty"`
	Limit float64 `json:"limit_seconds"`
}

type jsonCase struct {
	Name      string          `json:"name"`
	Outcome   logbook.Outcome `json:"outcome"`
	Observed  string          `json:"observed,omitempty"`
	Differs   string          `json:"differs,omitempty"`
	Exchanges []uint64        `json:"exchanges,omitempty"`
}

type jsonGroup struct {
	Check    string       `json:"check"`
	Points   []string     `json:"points"`
	Mark     verdict.Mark `json:"outcome"`
	Because  string       `json:"because"`
	Cause    string       `json:"cause,omitempty"`
	Finding  int          `json:"finding,omitempty"`
	Required bool         `json:"required"`
}

type jsonGap struct {
	Name   string     `json:"name"`
	Reason string     `json:"reason"`
	Owner  string     `json:"owner,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
	Checks []string   `json:"checks"`
	Points []string   `json:"points"`
}

type jsonWaiver struct {
	Check   string     `json:"check"`
	Point   string     `json:"point,omitempty"`
	State   string     `json:"state"`
	Reason  string     `json:"reason"`
	Owner   string     `json:"owner"`
	Expires *time.Time `json:"expires,omitempty"`
	Line    int        `json:"plan_line,omitempty"`
	Covers  []string   `json:"covers,omitempty"` // points
}

type jsonCheck struct {
	ID       string                  `json:"id"`
	Title    string                  `json:"title"`
	Stage    logbook.Stage           `json:"stage"`
	Severity logbook.Severity        `json:"severity,omitempty"`
	Since    string                  `json:"since,omitempty"`      // version of the catalogue
	Shown    bool                    `json:"only_shown,omitempty"` // by the plan's profile
	NotScore bool                    `json:"not_scored,omitempty"` // newer than the catalogue that the plan pins
	Mark     verdict.Mark            `json:"outcome"`
	Finding  int                     `json:"finding,omitempty"`
	At       map[string]verdict.Mark `json:"at"`
	Odd      string                  `json:"odd_point,omitempty"`
}

type jsonOdd struct {
	Point string `json:"point"`
	Alone int    `json:"alone"`
	Of    int    `json:"of"`
}

type jsonPromise struct {
	Key    string       `json:"key"`
	Value  string       `json:"value,omitempty"`
	Line   int          `json:"plan_line,omitempty"`
	Mark   verdict.Mark `json:"outcome"`
	Checks []string     `json:"checks,omitempty"`
	Broken []string     `json:"broken_at,omitempty"`
}

// JSON writes the verdict for programs, with all that it rests on but the exchanges, which stay in the logbook.
func JSON(w io.Writer, src logbook.Source) error {
	v, err := verdict.Of(src)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(newJSON(&v))
	if err != nil {
		return fmt.Errorf("write the JSON report: %w", err)
	}
	return nil
}

func newJSON(v *verdict.Verdict) jsonReport {
	r := jsonReport{
		Version: JSONVersion, Verdict: v.Word, Line: v.Line, Exit: v.Exit(), Blocking: v.Blocking, Ride: newJSONRide(v), Counts: newJSONCounts(v),
		Points: []jsonPoint{}, Findings: []jsonFinding{}, Unsure: newJSONGroups(v.Unsure), Gaps: []jsonGap{}, Untested: newJSONGroups(v.Untested),
		Absent: newJSONGroups(v.Absent), Waivers: []jsonWaiver{}, Checks: []jsonCheck{}, Promises: []jsonPromise{}, Measured: []jsonMeasured{}, Rotation: []jsonOpening{}, Notes: append([]logbook.Note{}, v.Notes...),
		Left: remaining(v),
	}
	for _, p := range v.Points {
		r.Points = append(r.Points, jsonPoint{p.Name, p.Kind, p.URL, p.Revocation})
	}
	for i := range v.Findings {
		r.Findings = append(r.Findings, newJSONFinding(v, &v.Findings[i]))
	}
	for _, g := range v.Gaps {
		r.Gaps = append(r.Gaps, jsonGap{g.Name, g.Reason, g.Owner, date(g.Until), g.Checks, g.Points})
	}
	for _, x := range v.Waivers {
		waiver := jsonWaiver{Check: x.Check, Point: x.Point, State: x.State, Reason: x.Reason, Owner: x.Owner, Expires: date(x.Expires), Line: x.Line}
		for _, c := range x.Cells {
			waiver.Covers = append(waiver.Covers, c.Point)
		}
		r.Waivers = append(r.Waivers, waiver)
	}
	for _, s := range v.Stages {
		for i := range s.Rows {
			r.Checks = append(r.Checks, newJSONCheck(v, &s.Rows[i]))
			for _, c := range s.Rows[i].Cells {
				r.Measured = append(r.Measured, measuredAt(&c)...)
			}
		}
	}
	for _, o := range v.Openings() {
		r.Rotation = append(r.Rotation, jsonOpening{o.Check, o.What, o.At, o.After.Seconds(), o.Never, o.Limit.Seconds()})
	}
	if v.Odd.Point != "" {
		r.Odd = &jsonOdd{v.Odd.Point, v.Odd.Alone, v.Odd.Of}
	}
	for _, p := range v.Promises {
		r.Promises = append(r.Promises, jsonPromise(p))
	}
	return r
}

func newJSONRide(v *verdict.Verdict) jsonRide {
	h := &v.Head
	r := jsonRide{
		ID: h.Ride, Tool: h.Tool, Started: h.Started, Seconds: v.Last.Seconds(), Cut: v.Cut, Only: h.Only, Plan: h.Plan, PlanName: h.Name,
		PlanSHA256: h.PlanDigest, Environment: h.Environment, Partner: h.Partner, Owner: h.Owner, Purpose: h.Purpose, Blocks: h.Blocks.String(),
		Profile: h.Profile, Catalogue: h.Catalogue, Pinned: h.Pinned, Unasked: h.Unasked,
		Attached: v.Attached, Permission: h.Permission,
	}
	if v.Parked != nil {
		parked := *v.Parked
		parked.Plan = filepath.Base(parked.Plan) // whose home it lies in is nobody's business
		r.Parked = &parked
	}
	if v.End != nil {
		r.Finished, r.Seconds, r.Interrupted = date(v.End.Finished), v.End.Took.Seconds(), v.End.Interrupted
		r.Requests, r.PeakRate, r.PeakMemory = v.End.Requests, v.End.PeakRate, v.End.PeakMemory
		r.FirstCall, r.Hooks = v.End.FirstCall.Seconds(), v.End.Hooks
	}
	return r
}

func tallied(t verdict.Tally) map[string]int {
	words := map[string]int{}
	for _, m := range verdict.Marks {
		if t[m] > 0 {
			words[m.String()] = t[m]
		}
	}
	return words
}

func newJSONCounts(v *verdict.Verdict) jsonCounts {
	c := jsonCounts{Checks: tallied(v.Checks), Observations: tallied(v.Cells), ByStage: map[string]map[string]int{}, ByPoint: map[string]map[string]int{}}
	for _, s := range v.Stages {
		c.ByStage[string(s.Stage)] = tallied(s.Checks)
	}
	for i, t := range sums(v) {
		c.ByPoint[v.Points[i].Name] = tallied(t)
	}
	return c
}

func newJSONFinding(v *verdict.Verdict, f *verdict.Finding) jsonFinding {
	out := jsonFinding{
		ID: f.ID, Number: f.Number, Severity: f.Severity, Blocking: f.Blocking, Headline: f.Headline, Title: f.Card.Title, Stage: f.Card.Stage,
		Why: f.Card.Why, Fix: f.Card.Fix, Refs: f.Card.Refs, Twin: f.Card.Twin, Command: v.Command(f.ID, f.Points),
		Besides: f.Besides, Apart: f.Apart(), Usual: f.Card.Usual, Since: f.Card.Since,
	}
	if f.Card.Usual > 0 {
		out.Raised = f.Card.Placed
	}
	for i := range f.Seen {
		out.At = append(out.At, newJSONCell(&f.Seen[i]))
	}
	for i := range f.Also {
		out.SameCause = append(out.SameCause, newJSONCell(&f.Also[i]))
	}
	return out
}

func newJSONCell(c *verdict.Cell) jsonCell {
	o := c.Observation
	out := jsonCell{
		Check: c.Check, Point: c.Point, Mark: c.Mark, Expected: o.Expected, Observed: o.Observed, Differs: o.Differs, Relevance: o.Relevance, Weak: o.Weak,
		Promise: c.Promise, Line: c.Line, Exchanges: o.Exchanges, Records: o.Records, Notes: o.Notes,
	}
	for i := range o.Bounds {
		out.Bounds = append(out.Bounds, newJSONBound(&o.Bounds[i]))
	}
	for _, x := range o.Cases {
		out.Cases = append(out.Cases, jsonCase{x.Name, x.Outcome, x.Observed, x.Differs, x.Exchanges})
	}
	return out
}

func newJSONBound(b *logbook.Bound) jsonBound {
	bound := jsonBound{
		Name: b.Name, Outcome: b.Outcome, Low: b.Low.Seconds(), Limit: b.Limit.Seconds(), Interval: b.Interval.Seconds(), Expired: b.Expired,
		Flapped: b.Flapped, Probes: b.Probes, Accepted: b.Accepted, Control: b.Control,
	}
	if b.High > 0 {
		high := b.High.Seconds()
		bound.High = &high
	}
	return bound
}

// measuredAt gives what was measured in one cell.
func measuredAt(c *verdict.Cell) []jsonMeasured {
	var all []jsonMeasured
	if c.Observation == nil {
		return nil
	}
	for i := range c.Observation.Bounds {
		all = append(all, jsonMeasured{Check: c.Check, Point: c.Point, jsonBound: newJSONBound(&c.Observation.Bounds[i])})
	}
	return all
}

func newJSONGroups(all []verdict.Group) []jsonGroup {
	out := []jsonGroup{}
	for _, g := range all {
		out = append(out, jsonGroup{g.Check, g.Points, g.Mark, g.Because, g.Cause, g.Finding, g.Required})
	}
	return out
}

func newJSONCheck(v *verdict.Verdict, row *verdict.Row) jsonCheck {
	c := jsonCheck{ID: row.Card.ID, Title: row.Card.Title, Stage: row.Card.Stage, Severity: row.Card.Severity, Since: row.Card.Since, Shown: row.Card.Shown, NotScore: row.Card.NotScored, Mark: row.Mark, Finding: row.Finding, At: map[string]verdict.Mark{}}
	for i, cell := range row.Cells {
		if cell.Mark != verdict.NotAsked {
			c.At[v.Points[i].Name] = cell.Mark
		}
	}
	if row.Odd >= 0 {
		c.Odd = v.Points[row.Odd].Name
	}
	return c
}

func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
