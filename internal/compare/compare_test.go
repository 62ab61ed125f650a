package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

var started = time.Date(2026, 10, 6, 8, 14, 28, 0, time.UTC)

// ride is a book in the making.
type ride struct {
	head    logbook.Head
	cards   []logbook.Entry
	entries []logbook.Entry
	carded  map[string]bool
	open    bool // no end
}

func newRide(change ...func(*logbook.Head)) *ride {
	r := &ride{carded: map[string]bool{}, head: logbook.Head{
		Ride: "one", Started: started, Tool: "checkride/test", Name: "acme", Environment: "staging", Plan: "plan.yaml", Blocks: logbook.High,
		Profile: []string{"baseline"}, Catalogue: "2026-10", Limits: map[string]string{"limits.revocation.push": "10s"},
		Points: []logbook.Point{{Name: "AS", Kind: "as"}, {Name: "edge", Kind: "point", Revocation: "push", Credential: "bearer"}, {Name: "legacy", Kind: "point"}},
	}}
	for _, c := range change {
		c(&r.head)
	}
	return r
}

func (r *ride) card(c logbook.Card) *ride {
	stage, _, _ := strings.Cut(c.ID, ".")
	c.Stage = logbook.Stage(stage)
	r.carded[c.ID] = true
	r.cards = append(r.cards, logbook.Entry{Card: &c})
	return r
}

func (r *ride) due(d logbook.Due) *ride {
	if !r.carded[d.Check] {
		r.card(logbook.Card{ID: d.Check, Title: d.Check + " is refused", Severity: logbook.Critical, Since: "2026-10"})
	}
	r.cards = append(r.cards, logbook.Entry{Due: &d})
	return r
}

// saw puts a check on the roll as required and gives it a result.
func (r *ride) saw(check, point string, outcome logbook.Outcome, more ...func(*logbook.Observation)) *ride {
	r.due(logbook.Due{Check: check, Point: point, Required: true})
	o := &logbook.Observation{Check: check, Point: point, Outcome: outcome, Asserted: 1}
	for _, f := range more {
		f(o)
	}
	return r.and(logbook.Entry{Observation: o})
}

func (r *ride) and(e logbook.Entry) *ride {
	r.entries = append(r.entries, e)
	return r
}

// passes gives a book something that is decided.
func (r *ride) passes() *ride { return r.saw("enforce.without-token", "edge", logbook.Pass) }

func (r *ride) cut() *ride {
	r.open = true
	return r
}

func (r *ride) book() []logbook.Entry {
	all := slices.Concat([]logbook.Entry{{Head: &r.head}}, r.cards, r.entries)
	if !r.open {
		all = append(all, logbook.Entry{End: &logbook.End{}})
	}
	return all
}

func (r *ride) read(t testing.TB) *Ride {
	t.Helper()
	read, err := Read(logbook.Entries(r.book()))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func compared(t testing.TB, first, second *ride, mapping ...Mapping) *Comparison {
	t.Helper()
	c, err := Of(first.read(t), second.read(t), mapping)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// later is the head of a ride of the same plan, a night later.
func later(h *logbook.Head) { h.Ride, h.Started = "two", h.Started.Add(24*time.Hour) }

func production(h *logbook.Head) { h.Ride, h.Environment = "two", "production" }

func because(text string) func(*logbook.Observation) {
	return func(o *logbook.Observation) { o.Because = text }
}

func failing(names ...string) func(*logbook.Observation) {
	return func(o *logbook.Observation) {
		for _, name := range names {
			o.Cases = append(o.Cases, logbook.Case{Name: name, Outcome: logbook.Fail})
		}
	}
}

const check, other = "bind.without-its-certificate", "bind.warm-cache"

// Each row is one check at one point in two rides: what became of it, what that makes of the word, and what line one says.
func TestChangeOfACheck(t *testing.T) {
	leftOut := func(declared, required bool) func(*ride) {
		return func(r *ride) {
			r.due(logbook.Due{Check: check, Point: "edge", LeftOut: "not tested: no right", Declared: declared, Required: required, Gap: "right (not allowed)"})
		}
	}
	saw := func(outcome logbook.Outcome, more ...func(*logbook.Observation)) func(*ride) {
		return func(r *ride) { r.saw(check, "edge", outcome, more...) }
	}
	low := func(outcome logbook.Outcome) func(*ride) {
		return func(r *ride) {
			r.card(logbook.Card{ID: check, Title: check, Severity: logbook.Low, Shown: true})
			r.saw(check, "edge", outcome)
		}
	}
	waived := func(r *ride) {
		r.head.Waivers = []logbook.Exclusion{{Check: check, Expires: started.AddDate(1, 0, 0), Reason: "pilot", Owner: "desk"}}
		r.saw(check, "edge", logbook.Fail)
	}
	nothing := func(*ride) {}
	for _, c := range []struct {
		name          string
		first, second func(*ride)
		change        Change
		weight        Weight
		word          Word
		line          string
	}{
		{"both pass", saw(logbook.Pass), saw(logbook.Pass), Alike, Noted, Same, "SAME: 2 results and 1 limit"},
		{"both fail", saw(logbook.Fail), saw(logbook.Fail), Alike, Noted, Same, "SAME: 2 results and 1 limit"},
		{"applies in neither", saw(logbook.NotApplicable), saw(logbook.NotApplicable), Alike, Noted, Same, "SAME: 2 results and 1 limit"},
		{"new", saw(logbook.Pass), saw(logbook.Fail), New, Drifted, Drift, "DRIFT: 1 new finding: " + check + " is accepted at edge"},
		{"new where it did not apply", saw(logbook.NotApplicable), saw(logbook.Fail), New, Drifted, Drift, "DRIFT: 1 new finding: "},
		{"new and waived", saw(logbook.Pass), waived, New, Drifted, Drift, "DRIFT: 1 new finding: "},
		{"ended", saw(logbook.Fail), saw(logbook.Pass), Ended, Drifted, Drift, "DRIFT: 1 ended finding"},
		{"does not apply any more", saw(logbook.Fail), saw(logbook.NotApplicable), Ended, Drifted, Drift, "DRIFT: 1 ended finding"},
		{"waived now", saw(logbook.Fail), waived, Waiver, Drifted, Drift, "DRIFT: 1 failure is waived in one ride"},
		{"applies now", saw(logbook.NotApplicable), saw(logbook.Pass), Applies, Drifted, Drift, "DRIFT: 1 check applies in one ride alone"},
		{"in other cases", saw(logbook.Fail, failing("X-User")), saw(logbook.Fail, failing("X-User", "X-Org")), Cases, Drifted, Drift, "DRIFT: 1 check fails in other cases"},
		{"in the same cases at other nodes", saw(logbook.Fail, failing("X-User at node 192.0.2.1:443 (kid a)")), saw(logbook.Fail, failing("X-User at node 192.0.2.9:443 (kid b)")), Alike, Noted, Same, "SAME: 2 results and 1 limit"},
		{"cases told by one alone", saw(logbook.Fail, failing("X-User")), saw(logbook.Fail), Alike, Noted, Same, "SAME: 2 results and 1 limit"},

		{"undecided now", saw(logbook.Pass), saw(logbook.Inconclusive, because("429")), Undecided, Unknown, CannotTell, "CANNOT TELL: no drift in what was compared; 1 check was not decided by both rides, first " + check + " at edge (after inconclusive: 429)"},
		{"undecided then", saw(logbook.Inconclusive), saw(logbook.Pass), Undecided, Unknown, CannotTell, "CANNOT TELL: "},
		{"the tool broke", saw(logbook.Pass), saw(logbook.Error), Undecided, Unknown, CannotTell, "CANNOT TELL: "},
		{"a pass without an assertion", saw(logbook.Pass), saw(logbook.Pass, func(o *logbook.Observation) { o.Asserted = 0 }), Undecided, Unknown, CannotTell, "CANNOT TELL: "},
		{"no result", saw(logbook.Pass), func(r *ride) { r.due(logbook.Due{Check: check, Point: "edge"}) }, Undecided, Unknown, CannotTell, "CANNOT TELL: "},
		{"undecided in both", saw(logbook.Inconclusive, because("429")), saw(logbook.Inconclusive, because("429")), Undecided, Unknown, CannotTell, "CANNOT TELL: no drift in what was compared; 1 check was not decided by both rides, first " + check + " at edge (both inconclusive: 429)"},
		{"undecided in both, and not needed", leftOut(false, false), leftOut(false, false), Undecided, Noted, Same, "SAME: 1 result and 1 limit"},
		{"left out without a declaration", saw(logbook.Pass), leftOut(false, false), Undecided, Unknown, CannotTell, "CANNOT TELL: "},
		{"left out as the plan declares", saw(logbook.Pass), leftOut(true, true), Undecided, Noted, Same, "SAME: 1 result and 1 limit"},
		{"only shown", low(logbook.Pass), low(logbook.Inconclusive), Undecided, Noted, Same, "SAME: 1 result and 1 limit"},
		{"a finding goes out of sight", saw(logbook.Fail), saw(logbook.Inconclusive), Undecided, Unknown, CannotTell, "CANNOT TELL: "},
		{"a finding is declared out of sight", saw(logbook.Fail), leftOut(true, true), Undecided, Unknown, CannotTell, "CANNOT TELL: "},
		{"found", saw(logbook.Inconclusive), saw(logbook.Fail), Found, Unknown, CannotTell, "CANNOT TELL: no drift in what was compared; 1 finding in after of which before could not tell"},
		{"found where a gap was declared", leftOut(true, true), saw(logbook.Fail), Found, Unknown, CannotTell, "CANNOT TELL: "},

		{"on one roll alone", saw(logbook.Pass), nothing, Apart, Unknown, CannotTell, "CANNOT TELL: no drift in what was compared; 1 check was not decided by both rides, first " + check + " at edge (it was not due in after)"},
		{"on one roll alone, and undecided there", leftOut(false, false), nothing, Apart, Noted, Same, "SAME: 1 result and 1 limit; not comparable: 1 check"},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, second := newRide().passes(), newRide(later).passes()
			c.first(first)
			c.second(second)
			got := compared(t, first, second)
			if got.Word != c.word || !strings.HasPrefix(got.Line, c.line) || c.word == Same && got.Line != c.line {
				t.Errorf("%v, %q; want %v, %q", got.Word, got.Line, c.word, c.line)
			}
			if c.change == Alike {
				if len(got.Checks) > 0 {
					t.Errorf("told: %v", got.Checks[0].Change)
				}
				return
			}
			if len(got.Checks) != 1 || got.Checks[0].Change != c.change || got.Checks[0].Weight != c.weight {
				t.Errorf("%d told: %+v", len(got.Checks), got.Checks)
			}
		})
	}
}

// What only one ride had on its roll is neither new nor ended, and the reason is said.
func TestOnOneRollAlone(t *testing.T) {
	newer := func(h *logbook.Head) { h.Catalogue = "2026-11" }
	since := func(r *ride, version string, outcome logbook.Outcome) *ride {
		return r.card(logbook.Card{ID: check, Title: check, Severity: logbook.Critical, Since: version}).saw(check, "edge", outcome)
	}
	for _, c := range []struct {
		name          string
		first, second *ride
		why           string
		weight        Weight
	}{
		{"came later", newRide().passes(), since(newRide(later, newer).passes(), "2026-11", logbook.Fail), "it came with catalogue 2026-11, and before has 2026-10", Noted},
		{"is known no more", since(newRide().passes(), "2026-10", logbook.Fail), newRide(later, newer).passes(), "the catalogue of after (2026-11) does not know it", Noted},
		{"an old book", newRide(func(h *logbook.Head) { h.Catalogue = "" }).passes(), since(newRide(later).passes(), "2026-10", logbook.Pass), "the catalogue of before (without a version) does not know it", Noted},
		{"another program", newRide().passes(), since(newRide(later, func(h *logbook.Head) { h.Tool = "checkride/v2" }).passes(), "2026-10", logbook.Pass), "the program of before (checkride/test) does not know it", Noted},
		{"the profile does not ask", newRide(func(h *logbook.Head) { h.Unasked = []string{check} }).passes(), since(newRide(later).passes(), "2026-10", logbook.Fail), "the profile of before does not ask for it", Noted},
		{"a partial ride", newRide(func(h *logbook.Head) { h.Only = []string{"enforce.*"} }).passes(), since(newRide(later).passes(), "2026-10", logbook.Fail), "before was a partial ride", Noted},
		{"no log", newRide().passes().due(logbook.Due{Check: check, Point: "stack", LeftOut: "the plan says audit: none", Declared: true, Gap: "audit (no access)"}),
			newRide(later).passes().saw(check, "edge", logbook.Pass), "not tested in before: audit (no access)", Noted},
		{"no log any more", newRide().passes().saw(check, "edge", logbook.Fail),
			newRide(later).passes().due(logbook.Due{Check: check, Point: "stack", LeftOut: "the plan says audit: none", Declared: true, Gap: "audit (no access)"}), "not tested in after: audit (no access)", Unknown},
		{"not due", newRide().passes(), since(newRide(later).passes(), "2026-10", logbook.Pass), "it was not due in before", Unknown},
		{"of a known check, not due there", newRide().passes().saw(check, "legacy", logbook.Pass), since(newRide(later, newer).passes().saw(check, "legacy", logbook.Pass), "2026-10", logbook.Pass), "it was not due in before", Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := compared(t, c.first, c.second)
			i := slices.IndexFunc(got.Checks, func(one Check) bool { return one.Point == "edge" })
			if i < 0 || got.Checks[i].Change != Apart || got.Checks[i].Why != c.why || got.Checks[i].Weight != c.weight {
				t.Fatalf("told: %+v", got.Checks)
			}
			if len(got.Findings) > 0 || got.Word == Drift {
				t.Errorf("findings %v: %s", got.Findings, got.Line)
			}
			if c.weight == Noted && !strings.Contains(got.Line, "not comparable: 1 check") {
				t.Errorf("line one does not say it: %s", got.Line)
			}
		})
	}
}

// A cause is told once, as in the ride's own report, and the worst comes first.
func TestFindingsOfOneCause(t *testing.T) {
	second := newRide(later).passes().
		saw("audit.late", "edge", logbook.Fail).
		saw(check, "edge", logbook.Fail).saw(check, "legacy", logbook.Fail).
		saw(other, "edge", logbook.Fail, func(o *logbook.Observation) { o.Cause = check })
	first := newRide().passes().
		saw("audit.late", "edge", logbook.Pass).
		saw(check, "edge", logbook.Pass).saw(check, "legacy", logbook.Pass).
		saw(other, "edge", logbook.Pass)
	got := compared(t, first, second)
	if len(got.Findings) != 2 || got.Findings[0].ID != check {
		t.Fatalf("findings: %+v", got.Findings)
	}
	f := got.Findings[0]
	if diff := cmp.Diff([]string{"edge", "legacy"}, f.Points); diff != "" || !slices.Equal(f.Also, []string{other}) || !f.Blocking {
		t.Errorf("%v, %v, blocking %v", f.Points, f.Also, f.Blocking)
	}
	if want := check + " is accepted at edge and legacy"; f.Headline != want {
		t.Errorf("headline %q, want %q", f.Headline, want)
	}
	back := compared(t, second, first)
	if len(back.Findings) != 2 || back.Findings[0].Change != Ended || back.Findings[0].Headline != f.Headline {
		t.Errorf("the other way: %+v", back.Findings)
	}

	// If the cause was there before, what is new is told by itself, where it is new.
	spread := compared(t, newRide().passes().saw(check, "edge", logbook.Fail).saw(check, "legacy", logbook.Pass), newRide(later).passes().saw(check, "edge", logbook.Fail).saw(check, "legacy", logbook.Fail))
	if len(spread.Findings) != 1 || spread.Findings[0].Headline != check+" is accepted at legacy" {
		t.Errorf("spread: %+v", spread.Findings)
	}
	folded := compared(t, newRide().passes().saw(check, "edge", logbook.Fail).saw(other, "edge", logbook.Pass), newRide(later).passes().saw(check, "edge", logbook.Fail).
		saw(other, "edge", logbook.Fail, func(o *logbook.Observation) { o.Cause = check }))
	if len(folded.Findings) != 1 || folded.Findings[0].ID != other || folded.Findings[0].Headline != other+" is accepted at edge" {
		t.Errorf("folded: %+v", folded.Findings)
	}
}

func TestPoints(t *testing.T) {
	as := logbook.Point{Name: "AS", Kind: "as"}
	point := func(name string) logbook.Point { return logbook.Point{Name: name, Kind: "point"} }
	staging := []logbook.Point{as, point("staging-edge"), point("gw")}
	live := []logbook.Point{as, point("gw"), point("edge"), point("partner-gw")}
	for _, c := range []struct {
		name          string
		first, second []logbook.Point
		mapping       []string
		want          string
		wrong         string
	}{
		{"by name", staging, live, nil, "AS=AS gw=gw =edge =partner-gw staging-edge=", ""},
		{"mapped", staging, live, []string{"staging-edge=edge"}, "AS=AS gw=gw staging-edge=edge =partner-gw", ""},
		{"known to be alone", staging, live, []string{"staging-edge=edge", "=partner-gw"}, "AS=AS gw=gw staging-edge=edge =partner-gw(known)", ""},
		{"a name that means another", staging, live, []string{"staging-edge=gw"}, "AS=AS staging-edge=gw =edge =partner-gw gw=", ""},
		{"names that are swapped", []logbook.Point{point("a"), point("b")}, []logbook.Point{point("a"), point("b")}, []string{"a=b", "b=a"}, "b=a a=b", ""},
		{"one name, two kinds", []logbook.Point{as}, []logbook.Point{point("AS")}, nil, "=AS AS=", ""},
		{"the stack is no point", []logbook.Point{{Name: "stack"}}, []logbook.Point{{Name: "stack"}}, nil, "", ""},
		{"a name twice", []logbook.Point{point("a"), point("a")}, []logbook.Point{point("a"), point("a")}, nil, "a=a", ""},
		{"unknown", staging, live, []string{"stging-edge=edge"}, "", `the first ride has no "stging-edge"; it has AS, staging-edge, gw`},
		{"unknown in the second", staging, live, []string{"staging-edge=ege"}, "", `the second ride has no "ege"`},
		{"of two kinds", staging, live, []string{"AS=edge"}, "", "one is an authorization server and the other an enforcement point"},
		{"twice", staging, live, []string{"staging-edge=edge", "gw=edge"}, "", "it is mapped twice"},
		{"empty", staging, live, []string{"="}, "", `"=" is not FIRST=SECOND`},
		{"without a sign", staging, live, []string{"edge"}, "", `"edge" is not FIRST=SECOND`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mapping []Mapping
			var err error
			for _, text := range c.mapping {
				var m Mapping
				m, err = ParseMapping(text)
				mapping = append(mapping, m)
			}
			var points []Point
			if err == nil {
				points, err = match(c.first, c.second, mapping)
			}
			if c.wrong != "" {
				if !errors.Is(err, ErrMapping) || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("error %v, want %q", err, c.wrong)
				}
				return
			}
			var got []string
			for _, p := range points {
				text := p.Names[0] + "=" + p.Names[1]
				if p.Known && !p.Matched() {
					text += "(known)"
				}
				got = append(got, text)
			}
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("%v, %v; want %s", got, err, c.want)
			}
		})
	}
}

// Points of another name are named, and nothing that stands at them is called the same.
func TestPointsWithoutCounterpart(t *testing.T) {
	live := func() *ride {
		return newRide(production, func(h *logbook.Head) { h.Points[1].Name = "front" }).saw(check, "legacy", logbook.Pass).
			saw(other, "front", logbook.Fail, failing("proof for front")).
			saw("offboard.leftovers", "stack", logbook.Fail, failing("the key at front, never used"))
	}
	staging := newRide().saw(check, "legacy", logbook.Pass).saw(other, "edge", logbook.Fail, failing("proof for edge")).
		saw("offboard.leftovers", "stack", logbook.Fail, failing("the key at edge, never used"))
	got := compared(t, staging, live())
	if got.Word != Drift { // the leftovers are those of another point
		t.Errorf("%s", got.Line)
	}
	for _, want := range []string{"production has no counterpart of edge", "staging has no counterpart of front"} {
		if !strings.Contains(got.Line, want) {
			t.Errorf("%q lacks %q", got.Line, want)
		}
	}
	if got.Hint() != "edge=front" || got.Points[1].Cells != 1 {
		t.Errorf("hint %q, points %+v", got.Hint(), got.Points)
	}
	mapped := compared(t, staging, live(), Mapping{"edge", "front"})
	if mapped.Word != Same || mapped.Line != "SAME: 3 results and 1 limit" || mapped.Hint() != "" {
		t.Errorf("mapped: %s", mapped.Line)
	}
	known := compared(t, newRide().saw(check, "legacy", logbook.Pass), newRide(production, func(h *logbook.Head) {
		h.Points = append(h.Points, logbook.Point{Name: "partner-gw", Kind: "point"})
	}).saw(check, "legacy", logbook.Pass).saw(check, "partner-gw", logbook.Fail), Mapping{"", "partner-gw"})
	if known.Word != Same {
		t.Errorf("known to be alone: %s", known.Line)
	}
}

// A point without counterpart is told once: its section of the plan is not told beside it.
func TestPlanOfAPointWithoutCounterpart(t *testing.T) {
	plan := func(name string) func(*logbook.Head) {
		return func(h *logbook.Head) {
			h.PlanText, h.PlanDigest, h.Points[1].Name = "points: [{name: "+name+", token_from: AS}]\naudit: [{name: log, covers: ["+name+"]}]\n", name, name
		}
	}
	staging, live := newRide(plan("edge")).saw(check, "legacy", logbook.Pass), newRide(plan("front"), later).saw(check, "legacy", logbook.Pass)
	got := compared(t, staging, live)
	if len(got.Plans) != 1 || got.Plans[0].What != "audit.log.covers" {
		t.Errorf("told: %+v", got.Plans)
	}
	mapped := compared(t, staging, live, Mapping{"edge", "front"})
	if len(mapped.Plans) > 0 {
		t.Errorf("told though it is mapped: %+v", mapped.Plans)
	}
}

func TestGrown(t *testing.T) {
	const ms = time.Millisecond
	bound := func(low, high, limit, interval time.Duration) logbook.Bound {
		return logbook.Bound{Low: low * ms, High: high * ms, Limit: limit * ms, Interval: interval * ms}
	}
	never := func(low, limit time.Duration) logbook.Bound {
		return logbook.Bound{Low: low * ms, Limit: limit * ms, Never: true}
	}
	for _, c := range []struct {
		name          string
		first, second logbook.Bound
		by            time.Duration
		told          bool
		weight        Weight
	}{
		{"equal", bound(250, 500, 10000, 250), bound(250, 500, 10000, 250), 0, false, Noted},
		{"overlapping", bound(0, 8000, 10000, 0), bound(7900, 9000, 10000, 250), 0, false, Noted},
		{"one step of a feed", bound(0, 250, 2000, 250), bound(750, 1000, 2000, 250), 500, false, Noted},
		{"told, for it is more than a quarter of the limit", bound(4000, 4250, 10000, 250), bound(7000, 7250, 10000, 250), 2750, true, Noted},
		{"longer by half of the limit, but not doubled", bound(5500, 5700, 12000, 250), bound(11350, 11600, 10000, 250), 5650, true, Noted},
		{"doubled, but not by half of the limit", bound(1000, 1250, 10000, 250), bound(5000, 5250, 10000, 250), 3750, true, Noted},
		{"notably longer", bound(4000, 4250, 40000, 250), bound(31000, 32000, 40000, 1500), 26750, true, Drifted},
		{"the stricter limit counts", bound(1000, 1200, 2000, 250), bound(30000, 31000, 60000, 1500), 28800, true, Drifted},
		{"not by more than two probes are apart", bound(0, 100, 1000, 5000), bound(700, 800, 1000, 250), 600, false, Noted},
		{"shorter", bound(8000, 8250, 10000, 250), bound(0, 250, 10000, 250), -7750, true, Noted},
		{"never refused", bound(0, 250, 2000, 250), never(2500, 2000), 2250, true, Drifted},
		{"refused now", never(12000, 2000), bound(0, 250, 2000, 250), -11750, true, Noted},
		{"never refused in both, and watched longer", never(2500, 2000), never(60000, 2000), 0, false, Noted},
		{"until it expires", bound(0, 250, 2000, 250), logbook.Bound{Low: 60000 * ms, High: 61000 * ms, Limit: 2000 * ms, Never: true, Expired: true}, 59750, true, Drifted},
		{"without a limit", bound(0, 250, 0, 250), bound(900, 1100, 0, 250), 650, true, Noted},
		{"garbled", logbook.Bound{Low: -5, High: -9}, logbook.Bound{Low: 5, High: 1}, 5, false, Noted},
	} {
		t.Run(c.name, func(t *testing.T) {
			by, told, weight := Grown(&c.first, &c.second)
			if by != c.by*ms && by != c.by || told != c.told || weight != c.weight {
				t.Errorf("%v, told %v, %v; want %v ms, %v, %v", by, told, weight, int64(c.by), c.told, c.weight)
			}
		})
	}
}

// Of each check at each place the time that differs most is told, where both rides decided alike.
func TestTimes(t *testing.T) {
	measured := func(name string, low, high time.Duration) func(*logbook.Observation) {
		return func(o *logbook.Observation) {
			o.Bounds = append(o.Bounds, logbook.Bound{Name: name, Low: low, High: high, Limit: 10 * time.Second, Interval: 250 * time.Millisecond})
		}
	}
	first := newRide().passes().
		saw(check, "edge", logbook.Pass, measured("watched", 0, time.Second), measured("young", 0, time.Second), measured("edge, never used", 0, 8*time.Second)).
		saw(other, "edge", logbook.Pass, measured("watched at node 192.0.2.1:443", 0, time.Second), measured("watched at node 192.0.2.2:443", 8*time.Second, 9*time.Second)).
		saw("revoke.now-fails", "edge", logbook.Pass, measured("watched", 0, time.Second))
	second := newRide(later, func(h *logbook.Head) { h.Points[1].Name = "front" }).saw("enforce.without-token", "front", logbook.Pass).
		saw(check, "front", logbook.Pass, measured("watched", 4*time.Second, 5*time.Second), measured("young", 8*time.Second, 9*time.Second), measured("front, never used", 0, 8*time.Second)).
		saw(other, "front", logbook.Pass, measured("watched at node 192.0.2.7:443", 8*time.Second, 9*time.Second)).
		saw("revoke.now-fails", "front", logbook.Fail, measured("watched", 20*time.Second, 21*time.Second))
	got := compared(t, first, second, Mapping{"edge", "front"})
	if len(got.Times) != 1 || got.Times[0].Name != "young" || got.Times[0].Point != "front" || got.Times[0].Weight != Drifted || got.Times[0].By != 7*time.Second {
		t.Errorf("times: %+v", got.Times)
	}
	if got.Timed != 4 {
		t.Errorf("%d times were compared, want 4: a finding's time is told with the finding", got.Timed)
	}
	if want := "1 measured time is notably longer"; !strings.Contains(got.Line, want) {
		t.Errorf("%q lacks %q", got.Line, want)
	}
}

func TestPlans(t *testing.T) {
	text := `name: acme
environment: staging
clients: [{name: partner, id: p-1, auth: private_key_jwt, key: file:a.pem, scopes: [payments:read]}]
points:
  - name: edge
    url: https://staging.example
    operations: [{name: list, request: GET /payments}, {name: pay, request: POST /payments, deny: true}]
limits: {revocation: {push: 10s}}
`
	for _, c := range []struct {
		name   string
		change func(*logbook.Head)
		want   string // of the first difference
		weight Weight
	}{
		{"nothing", func(*logbook.Head) {}, "", Noted},
		{"a limit", func(h *logbook.Head) { h.Limits = map[string]string{"limits.revocation.push": "60s"} }, "limits.revocation.push: 10s, 60s", Drifted},
		{"a limit that only a newer program knows", func(h *logbook.Head) {
			h.Limits = map[string]string{"limits.revocation.push": "10s", "limits.window": "2s"}
		}, "limits.window: , 2s", Noted},
		{"how a point learns of revocation", func(h *logbook.Head) { h.Points[1].Revocation = "expiry" }, "points.edge.revocation: push, expiry", Drifted},
		{"credential", func(h *logbook.Head) { h.Points[1].Credential = "dpop" }, "points.edge.credential: bearer, dpop", Drifted},
		{"nodes", func(h *logbook.Head) { h.Points[1].Nodes = 3 }, "points.edge.addresses: , 3", Noted},
		{"profile", func(h *logbook.Head) { h.Profile = []string{"hygiene", "elevated"} }, "profile: baseline, elevated, hygiene", Drifted},
		{"blocks", func(h *logbook.Head) { h.Blocks = logbook.Critical }, "blocks: high, critical", Drifted},
		{"pinned", func(h *logbook.Head) { h.Pinned = "2026-09" }, "pinned catalogue: , 2026-09", Noted},
		{"catalogue", func(h *logbook.Head) { h.Catalogue = "2026-11" }, "catalogue: 2026-10, 2026-11", Noted},
		{"program", func(h *logbook.Head) { h.Tool = "checkride/v2" }, "program: checkride/test, checkride/v2", Noted},
		{"out of scope", func(h *logbook.Head) {
			h.Scope = []logbook.Exclusion{{Check: "rotate.*", Point: "edge", Expires: started.AddDate(1, 0, 0)}}
		}, "out of scope: , rotate.* at edge", Noted},
		{"waivers", func(h *logbook.Head) { h.Waivers = []logbook.Exclusion{{Check: check}} }, "waivers: , " + check, Noted},
		{"a member of the plan", func(h *logbook.Head) { h.PlanText = strings.Replace(text, "deny: true", "deny: false", 1) }, "points.edge.operations.pay.deny: true, false", Noted},
		{"scopes", func(h *logbook.Head) {
			h.PlanText = strings.Replace(text, "[payments:read]", "[payments:read, admin]", 1)
		}, "clients.partner.scopes: payments:read, payments:read, admin", Noted},
		{"an operation", func(h *logbook.Head) {
			h.PlanText = strings.Replace(text, ", {name: pay, request: POST /payments, deny: true}", "", 1)
		}, "points.edge.operations.pay: given, ", Noted},
		{"what differs lawfully", func(h *logbook.Head) {
			h.PlanText = strings.NewReplacer("https://staging.example", "https://api.example", "p-1", "p-2", "file:a.pem", "env:KEY", "environment: staging", "environment: production").Replace(text)
		}, "", Noted},
		{"no plan", func(h *logbook.Head) { h.PlanText = "{{" }, "the plans' texts, which cannot be read as plans: 00, 11", Noted},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := func(digest string) func(*logbook.Head) {
				return func(h *logbook.Head) { h.PlanText, h.PlanDigest = text, digest }
			}
			got := compared(t, newRide(plan("00")).passes(), newRide(plan("11"), later, c.change).passes())
			if c.want == "" {
				if len(got.Plans) > 0 {
					t.Errorf("told: %+v", got.Plans)
				}
				return
			}
			if len(got.Plans) != 1 {
				t.Fatalf("%d told: %+v", len(got.Plans), got.Plans)
			}
			d := got.Plans[0]
			if said := fmt.Sprintf("%s: %s, %s", d.What, d.Values[0], d.Values[1]); said != c.want || d.Weight != c.weight {
				t.Errorf("%s (%v), want %s (%v)", said, d.Weight, c.want, c.weight)
			}
			if want := map[Weight]Word{Noted: Same, Drifted: Drift}[c.weight]; got.Word != want {
				t.Errorf("%s", got.Line)
			}
		})
	}
}

// fetched is an exchange that got a document.
func fetched(point, url, body string, more ...func(*logbook.Exchange)) logbook.Entry {
	x := &logbook.Exchange{Point: point, Method: "GET", URL: url, Purpose: "setup", Status: 200}
	x.Response = logbook.Message{Body: body, Size: int64(len(body)), SHA256: digestOf(body)}
	for _, f := range more {
		f(x)
	}
	return logbook.Entry{Exchange: x}
}

func TestMetadata(t *testing.T) {
	const place = "https://as.example/.well-known/oauth-authorization-server"
	document := func(change map[string]any) string {
		members := map[string]any{
			"issuer": "https://as.example", "token_endpoint": "https://as.example/token", "grant_types_supported": []string{"client_credentials", "password"},
			"mtls_endpoint_aliases": map[string]any{"token_endpoint": "https://mtls.as.example/token"},
		}
		for name, value := range change {
			members[name] = value
			if value == nil {
				delete(members, name)
			}
		}
		text, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	moved := map[string]any{"issuer": "https://live.example", "token_endpoint": "https://live.example/t", "mtls_endpoint_aliases": map[string]any{"token_endpoint": "https://m.live.example/"}}
	with := func(base map[string]any, name string, value any) map[string]any {
		all := map[string]any{name: value}
		for k, v := range base {
			if k != name {
				all[k] = v
			}
		}
		return all
	}
	read := func(body string) []logbook.Entry { return []logbook.Entry{fetched("AS", place, body)} }
	for _, c := range []struct {
		name          string
		first, second []logbook.Entry
		state         string
		weight        Weight
		said          string
	}{
		{"same bytes", read(document(nil)), read(document(nil)), sameBytes, Noted, ""},
		{"other addresses", read(document(nil)), read(document(moved)), sameMembers, Noted, ""},
		{"another order", read(document(nil)), read(document(map[string]any{"grant_types_supported": []string{"password", "client_credentials"}})), sameMembers, Noted, ""},
		{"another grant", read(document(nil)), read(document(with(moved, "grant_types_supported", []string{"client_credentials", "implicit"}))), otherMembers, Drifted, "grant_types_supported: only in before: password; only in after: implicit"},
		{"another member", read(document(nil)), read(document(with(moved, "registration_endpoint", "https://live.example/r"))), otherMembers, Drifted, "registration_endpoint: only in after: an address of the scheme https"},
		{"without TLS", read(document(nil)), read(document(with(moved, "token_endpoint", "http://live.example/t"))), otherMembers, Drifted, "token_endpoint: only in before: an address of the scheme https; only in after: an address of the scheme http"},
		{"an alias", read(document(nil)), read(document(with(moved, "mtls_endpoint_aliases", map[string]any{}))), otherMembers, Drifted, "mtls_endpoint_aliases.token_endpoint: only in before: an address of the scheme https"},
		{"a moved endpoint of the same server", read(document(nil)), read(document(map[string]any{"token_endpoint": "https://evil.example/token"})), otherMembers, Drifted, "token_endpoint: only in before: https://as.example/token; only in after: https://evil.example/token"},
		{"the default, said", read(document(nil)), read(document(map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_basic"}, "tls_client_certificate_bound_access_tokens": false})), sameMembers, Noted, ""},
		{"not the default", read(document(nil)), read(document(map[string]any{"tls_client_certificate_bound_access_tokens": true})), otherMembers, Drifted, "tls_client_certificate_bound_access_tokens: only in before: false; only in after: true"},
		{"signed anew", read(document(map[string]any{"signed_metadata": "a.b.c"})), read(document(map[string]any{"signed_metadata": "a.b.d"})), sameMembers, Noted, ""},
		{"another kind of value", read(document(nil)), read(document(map[string]any{"mtls_endpoint_aliases": 7})), otherMembers, Drifted, `mtls_endpoint_aliases: only in before: {"token_endpoint":"https://mtls.as.example/token"}; only in after: 7`},
		{"there is none", read(document(nil)), []logbook.Entry{fetched("AS", place, "", func(x *logbook.Exchange) { x.Status = 404 })}, otherMembers, Drifted, "after answers 404 and no document"},
		{"not read", read(document(nil)), nil, notComparable, Unknown, "after: it was not read"},
		{"not readable", read(document(nil)), []logbook.Entry{fetched("AS", place, "", func(x *logbook.Exchange) { x.Status = 503 })}, notComparable, Unknown, "after: it was not read"},
		{"too busy", read(document(nil)), []logbook.Entry{fetched("AS", place, "", func(x *logbook.Exchange) { x.Status = 429 })}, notComparable, Unknown, "after: it was not read"},
		{"no JSON", read("<html>"), read(document(nil)), notComparable, Unknown, "before: it is no JSON object"},
		{"more than JSON", read(document(nil)), read(document(nil) + "{}"), notComparable, Unknown, "after: it is no JSON object"},
		{"not kept whole", read(document(nil)), []logbook.Entry{fetched("AS", place, document(moved), func(x *logbook.Exchange) { x.Response.Size += 9; x.Response.SHA256 = "1" })}, notComparable, Unknown, "after: the logbook does not hold all of it"},
		{"edited", read(document(nil)), []logbook.Entry{fetched("AS", place, document(moved), func(x *logbook.Exchange) { x.Response.SHA256 = digestOf("") })}, notComparable, Unknown, "after: it does not fit the digest that the logbook gives for it"},
		{"unsteady", read(document(nil)), append(read(document(nil)), read(document(map[string]any{"grant_types_supported": []string{"implicit"}}))...), notComparable, Unknown, "after: it said different things during the ride"},
		{"steady but for its order", read(document(nil)), append(read(document(nil)), read(document(map[string]any{"grant_types_supported": []string{"password", "client_credentials"}}))...), sameBytes, Noted, ""},
		{"altered requests tell nothing", read(document(nil)), append(read(document(nil)), fetched("AS", place, document(moved), func(x *logbook.Exchange) { x.Purpose = "altered" })), sameBytes, Noted, ""},
		{"a place of the plan's own", []logbook.Entry{fetched("AS", "https://as.example/md", document(nil))}, []logbook.Entry{fetched("AS", "https://live.example/meta", document(moved))}, sameMembers, Noted, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, second := newRide().passes(), newRide(later).passes()
			first.entries = append(first.entries, c.first...)
			second.entries = append(second.entries, c.second...)
			got := compared(t, first, second)
			if len(got.Documents) != 1 {
				t.Fatalf("documents: %+v", got.Documents)
			}
			d := got.Documents[0]
			said := d.Why
			for _, m := range d.Members {
				said += m.Name + ": " + m.Words(got.Labels)
			}
			if d.State != c.state || d.Weight != c.weight || said != c.said {
				t.Errorf("%s, %v, %q; want %s, %v, %q", d.State, d.Weight, said, c.state, c.weight, c.said)
			}
			if want := map[Weight]Word{Noted: Same, Unknown: CannotTell, Drifted: Drift}[c.weight]; got.Word != want {
				t.Errorf("%s", got.Line)
			}
		})
	}
}

// What another host says is not compared, and a partial ride need not have asked.
func TestMetadataOfOthers(t *testing.T) {
	elsewhere := fetched("elsewhere", "https://x.example/.well-known/oauth-authorization-server", `{"issuer":"https://x.example"}`)
	got := compared(t, newRide().passes().and(elsewhere), newRide(later).passes())
	if len(got.Documents) > 0 || got.Word != Same {
		t.Errorf("%s: %+v", got.Line, got.Documents)
	}
	own := fetched("AS", "https://x.example/.well-known/oauth-authorization-server", `{"issuer":"https://x.example"}`)
	got = compared(t, newRide().passes().and(own), newRide(later, func(h *logbook.Head) { h.Only = []string{"enforce.*"} }).passes())
	if got.Word != Same || got.Documents[0].State != notComparable {
		t.Errorf("%s: %+v", got.Line, got.Documents)
	}
}

func TestLabelsAndNotices(t *testing.T) {
	named := func(name string) func(*logbook.Head) {
		return func(h *logbook.Head) { h.Name, h.Ride = name, "two" }
	}
	for _, c := range []struct {
		name          string
		first, second *ride
		labels        [2]string
		line          string
		notice        string
	}{
		{"a night later", newRide().passes(), newRide(later).passes(), [2]string{"before", "after"}, "SAME: 1 result and 1 limit", ""},
		{"environments", newRide().passes(), newRide(production).passes(), [2]string{"staging", "production"}, "SAME: 1 result and 1 limit", ""},
		{"plans", newRide().passes(), newRide(named("globex")).passes(), [2]string{"acme", "globex"}, "SAME: 1 result and 1 limit", ""},
		{"a name that is too long", newRide().passes(), newRide(named(strings.Repeat("g", 300))).passes(), [2]string{"before", "after"}, "SAME: 1 result and 1 limit", ""},
		{"the older one last", newRide(later).passes(), newRide().passes(), [2]string{"the first", "the second"}, "SAME: 1 result and 1 limit", "the second ride began before the first"},
		{"the same ride", newRide().passes(), newRide().passes(), [2]string{"before", "after"}, "SAME: 1 result and 1 limit", "both books are of the same ride"},
		{"a partial ride", newRide().passes(), newRide(later, func(h *logbook.Head) { h.Only = []string{"enforce.*"} }).passes(), [2]string{"before", "after"}, "SAME, of what partial rides have in common: 1 result and 1 limit", "after: a partial ride"},
		{"partial rides", newRide(func(h *logbook.Head) { h.Only = []string{"enforce.*"} }).passes(), newRide(later, func(h *logbook.Head) { h.Only = []string{"enforce.*"} }).passes(), [2]string{"before", "after"}, "SAME, of what partial rides have in common: 1 result and 1 limit", "both are partial rides"},
		{"cut short", newRide().passes(), newRide(later).passes().cut(), [2]string{"before", "after"}, "CANNOT TELL: no drift in what was compared; after: the logbook is not whole, and is compared as far as it goes", "after: the logbook is not whole, and is compared as far as it goes"},
		{"stopped", newRide().passes(), newRide(later).passes().cut().and(logbook.Entry{End: &logbook.End{Interrupted: "Ctrl-C"}}), [2]string{"before", "after"}, "CANNOT TELL: no drift in what was compared; after: the ride was stopped early", "after: the ride was stopped early"},
		{"nothing in common", newRide(), newRide(later), [2]string{"before", "after"}, "CANNOT TELL: the rides decided nothing in common", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := compared(t, c.first, c.second)
			notice := ""
			if len(got.Notices) > 0 {
				notice = got.Notices[0].Text
			}
			if got.Labels != c.labels || got.Line != c.line || notice != c.notice {
				t.Errorf("%v, %q, notice %q; want %v, %q, %q", got.Labels, got.Line, notice, c.labels, c.line, c.notice)
			}
		})
	}
}

func TestBooksThatCannotBeCompared(t *testing.T) {
	parked := []logbook.Entry{{Head: &newRide().head}, {Parked: &logbook.Parked{Since: started, Clients: []string{"partner"}}}}
	for _, c := range []struct {
		name string
		book logbook.Source
		is   error
	}{
		{"parked", logbook.Entries(parked), ErrParked},
		{"empty", logbook.Entries(nil), ErrEmpty},
		{"without a head", logbook.Entries(newRide().passes().book()[1:]), ErrEmpty},
		{"absent", logbook.File("no-such-book.jsonl"), nil},
	} {
		_, err := Read(c.book)
		if err == nil || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %v", c.name, err, c.is)
		}
	}
	went := append(slices.Clone(parked), newRide().passes().book()[1:]...)
	went = slices.Insert(went, 2, logbook.Entry{Parked: &logbook.Parked{Since: started, Resumed: started.Add(time.Hour)}})
	_, err := Read(logbook.Entries(went))
	if err != nil {
		t.Errorf("a ride that went on: %v", err)
	}
}

// A stranger's book may name a million documents: no more are kept than a stack may have.
func TestDocumentsAreBounded(t *testing.T) {
	r := newRide().passes()
	for i := range 3000 {
		r.and(fetched(fmt.Sprintf("p%d", i), "https://x.example/.well-known/openid-configuration", "{}"))
		r.and(fetched("p0", "https://x.example/.well-known/openid-configuration", fmt.Sprintf(`{"n":%d}`, i)))
	}
	read := r.read(t)
	if len(read.served) != mostSpots || len(read.served[spot{"p0", "openid-configuration"}].texts) != mostTexts {
		t.Errorf("%d places are kept", len(read.served))
	}
}

// A stranger's book may hold a plan that is deeper, longer or more circular than any plan, and more points than any stack.
func TestHostileBooks(t *testing.T) {
	const much = 200_000
	for name, text := range map[string]string{
		"deep": strings.Repeat("[", much), "deep blocks": "a: " + strings.Repeat("{a: ", 5000) + strings.Repeat("}", 5000), "long": "a: [" + strings.Repeat("a, ", much) + "]",
		"circular": "a: &a [*a, *a]", "bomb": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]", "keys": "{[a]: b, ? {c: d} : e}", "scalar": "a", "nothing": "", "two": "a: b\n---\na: c",
	} {
		t.Run(name, func(t *testing.T) {
			plan := func(h *logbook.Head) { h.PlanText, h.PlanDigest = text, "11" }
			compared(t, newRide(plan).passes(), newRide(later).passes())
			if got := compared(t, newRide(plan).passes(), newRide(later, plan).passes()); got.Word != Same {
				t.Errorf("from itself: %s", got.Line)
			}
		})
	}
	crowd := func(h *logbook.Head) {
		for i := range 20_000 {
			h.Points = append(h.Points, logbook.Point{Name: fmt.Sprint(h.Ride, i), Kind: "point"})
		}
	}
	if got := compared(t, newRide(crowd).passes(), newRide(later, crowd).passes()); got.Word != CannotTell || len(got.Line) > 1000 {
		t.Errorf("%d bytes in line one", len(got.Line))
	}
}

// drawn is a ride of random results.
func drawn(t *rapid.T, name string, change ...func(*logbook.Head)) *ride {
	r := newRide(change...)
	for _, id := range []string{check, other, "enforce.without-token"} {
		for _, point := range []string{"edge", "legacy", "stack"} {
			outcome := rapid.IntRange(-2, 4).Draw(t, name+id+point)
			switch {
			case outcome == -2: // not on the roll
			case outcome == -1:
				r.due(logbook.Due{Check: id, Point: point, LeftOut: "no right", Declared: rapid.Bool().Draw(t, "declared")})
			default:
				r.saw(id, point, logbook.Outcome(outcome), func(o *logbook.Observation) {
					high := time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "high"))
					o.Bounds = []logbook.Bound{{Name: "watched", Low: high / 2, High: high, Limit: 2 * time.Second}}
				})
			}
		}
	}
	return r
}

// Whatever the books say: a ride does not differ from itself, what is new one way is ended the other way, a result is
// told once or is the same, and the order of the entries makes no difference.
func TestWhateverTheBooksSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first, second := drawn(rt, "first"), drawn(rt, "second", later)
		if own := compared(t, first, first); own.Word == Drift || len(own.Findings)+len(own.Times) > 0 {
			rt.Fatalf("from itself: %s", own.Line)
		}
		there, back := compared(t, first, second), compared(t, second, first)
		count := func(c *Comparison, change Change) int {
			n := 0
			for _, one := range c.Checks {
				if one.Change == change {
					n++
				}
			}
			return n
		}
		if count(there, New) != count(back, Ended) || count(there, Ended) != count(back, New) || count(there, Applies) != count(back, Applies) {
			rt.Fatalf("there: %s\nback: %s", there.Line, back.Line)
		}
		if len(there.Times)+len(back.Times) == 0 && there.Word != back.Word { // a time that became shorter is no drift, one that grew is
			rt.Fatalf("there: %s\nback: %s", there.Line, back.Line)
		}
		places := map[string]bool{}
		for _, r := range []*ride{first, second} {
			for _, e := range r.cards {
				if e.Due != nil {
					places[e.Due.Check+" "+e.Due.Point] = true
				}
			}
		}
		if got := len(there.Checks) + there.Alike.Total(); got != len(places) {
			rt.Fatalf("%d results told or counted, of %d", got, len(places))
		}
		for _, one := range there.Checks {
			undecided := slices.ContainsFunc(one.Cells[:], func(c *verdict.Cell) bool { return c != nil && !decided(c) })
			if undecided && one.Weight == Drifted {
				rt.Fatalf("%s was not decided, and is called different", one.Card.ID)
			}
		}
		mixed := *second
		mixed.entries = slices.Clone(second.entries)
		rand.New(rand.NewSource(rapid.Int64().Draw(rt, "order"))).Shuffle(len(mixed.entries), func(i, j int) {
			mixed.entries[i], mixed.entries[j] = mixed.entries[j], mixed.entries[i]
		})
		if again := compared(t, first, &mixed); again.Line != there.Line {
			rt.Fatalf("in another order: %s\n%s", again.Line, there.Line)
		}
	})
}
