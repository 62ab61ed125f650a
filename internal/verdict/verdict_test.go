package verdict

import (
	"errors"
	"fmt"
	"iter"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var started = time.Date(2026, 10, 6, 8, 14, 28, 0, time.UTC)

// ride is a book in the making.
type ride struct {
	head    logbook.Head
	entries []logbook.Entry
	carded  map[string]bool
	open    bool // no end
}

func newRide() *ride {
	return &ride{carded: map[string]bool{}, head: logbook.Head{
		Ride: "r", Started: started, Plan: "plan.yaml", Blocks: logbook.High,
		Points: []logbook.Point{{Name: "AS", Kind: "as"}, {Name: "edge", Kind: "point"}, {Name: "legacy", Kind: "point"}, {Name: "gw", Kind: "point"}},
	}}
}

func (r *ride) card(c logbook.Card) *ride {
	stage, _, _ := strings.Cut(c.ID, ".")
	c.Stage = logbook.Stage(stage)
	r.carded[c.ID] = true
	r.entries = append(r.entries, logbook.Entry{Card: &c})
	return r
}

func (r *ride) due(d logbook.Due) *ride {
	if !r.carded[d.Check] {
		r.card(logbook.Card{ID: d.Check, Title: d.Check, Severity: logbook.Critical})
	}
	r.entries = append(r.entries, logbook.Entry{Due: &d})
	return r
}

// saw puts a check on the roll as required and gives it a result.
func (r *ride) saw(check, point string, outcome logbook.Outcome, more ...func(*logbook.Observation)) *ride {
	r.due(logbook.Due{Check: check, Point: point, Required: true})
	o := &logbook.Observation{Check: check, Point: point, Outcome: outcome, Asserted: 1}
	for _, f := range more {
		f(o)
	}
	r.entries = append(r.entries, logbook.Entry{At: time.Duration(len(r.entries)) * time.Second, Observation: o})
	return r
}

func because(cause, why string) func(*logbook.Observation) {
	return func(o *logbook.Observation) { o.Cause, o.Because = cause, why }
}

func bounds(all ...logbook.Bound) func(*logbook.Observation) {
	return func(o *logbook.Observation) { o.Bounds = all }
}

func (r *ride) source() logbook.Source {
	all := append([]logbook.Entry{{Head: &r.head}}, r.entries...)
	if !r.open {
		all = append(all, logbook.Entry{At: time.Minute, End: &logbook.End{Took: time.Minute}})
	}
	return logbook.Entries(all)
}

func (r *ride) judge(t *testing.T) Verdict {
	t.Helper()
	v, err := Of(r.source())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const (
	pass         = logbook.Pass
	fail         = logbook.Fail
	inconclusive = logbook.Inconclusive
)

func TestLineOne(t *testing.T) {
	next, past := started.Add(time.Hour), started.Add(-time.Hour)
	second := time.Second
	low := func(r *ride) *ride {
		return r.card(logbook.Card{ID: "issue.low", Title: "a secret is not sent", Severity: logbook.Low})
	}
	for _, c := range []struct {
		name string
		ride *ride
		want string
		exit int
	}{
		{"all pass", newRide().saw("issue.a", "AS", pass), "READY", 0},
		{"nothing at all", newRide(), "CANNOT TELL: nothing was decided", 4},
		{"all not applicable", newRide().saw("issue.a", "AS", logbook.NotApplicable), "CANNOT TELL: nothing was decided", 4},
		{"blocking", newRide().saw("issue.a", "AS", fail), "NOT READY: 1 blocking; broken: issue.a at AS", 3},
		{"below", low(newRide()).saw("issue.low", "AS", fail).saw("issue.a", "AS", pass), "READY, 1 finding that blocks nothing", 0},
		{"the plan blocks at low", func() *ride { r := low(newRide()); r.head.Blocks = logbook.Low; return r }().saw("issue.low", "AS", fail), "NOT READY: 1 blocking; a secret is sent at AS", 3},
		{"card lost", func() *ride { r := newRide(); r.carded["issue.x"] = true; return r }().saw("issue.x", "AS", fail), "NOT READY: 1 blocking; broken: issue.x at AS", 3},
		{"inconclusive", newRide().saw("issue.a", "AS", pass).saw("bind.b", "edge", inconclusive, because("", "the control got 429")),
			"CANNOT TELL: 1 required check is undecided, first bind.b at edge: the control got 429", 4},
		{"inconclusive and not required", func() *ride {
			r := newRide().saw("issue.a", "AS", pass).saw("bind.b", "edge", inconclusive)
			r.entries[len(r.entries)-2].Due.Required = false
			return r
		}(), "READY", 0},
		{"missing", newRide().saw("issue.a", "AS", pass).due(logbook.Due{Check: "bind.b", Point: "edge", Required: true}), "CANNOT TELL: 1 required check without a result", 4},
		{"broken tool", newRide().saw("issue.a", "AS", pass).saw("bind.b", "edge", logbook.Error, because("", "panic: nil map")),
			"CANNOT TELL: 1 required check is undecided, first bind.b at edge: panic: nil map", 4},
		{"asserted nothing", newRide().saw("issue.a", "AS", pass).saw("bind.b", "edge", pass, func(o *logbook.Observation) { o.Asserted = 0 }),
			"CANNOT TELL: 1 required check is undecided, first bind.b at edge: the check passed without asserting anything", 4},
		{"contradicts itself", newRide().saw("issue.a", "AS", pass, func(o *logbook.Observation) { o.Cases = []logbook.Case{{Name: "none", Outcome: fail}} }),
			`CANNOT TELL: 1 required check is undecided, first issue.a at AS: the check passed although its case "none" fails`, 4},
		{"not ready wins", newRide().saw("issue.a", "AS", fail).saw("bind.b", "edge", inconclusive), "NOT READY: 1 blocking; broken: issue.a at AS", 3},
		{"cut short", func() *ride { r := newRide().saw("issue.a", "AS", pass); r.open = true; return r }(), "CANNOT TELL: the logbook was cut short after 2 s", 4},
		{"cut short and not ready", func() *ride { r := newRide().saw("issue.a", "AS", fail); r.open = true; return r }(),
			"NOT READY: 1 blocking; broken: issue.a at AS; the logbook was cut short after 2 s", 3},
		{"interrupted", func() *ride {
			r := newRide().saw("issue.a", "AS", pass)
			r.open = true
			r.entries = append(r.entries, logbook.Entry{End: &logbook.End{Took: 5 * second, Interrupted: "Ctrl-C"}})
			return r
		}(), "CANNOT TELL: the ride was stopped after 5 s: Ctrl-C", 4},
		{"declared gap", newRide().saw("issue.a", "AS", pass).due(logbook.Due{Check: "audit.b", Point: "edge", Required: true, LeftOut: "no log", Declared: true, Gap: "audit (no access)"}).
			due(logbook.Due{Check: "audit.c", Point: "edge", Required: true, LeftOut: "no log", Declared: true, Gap: "audit (no access)"}), "READY, not tested: audit (no access)", 0},
		{"undeclared gap", newRide().saw("issue.a", "AS", pass).due(logbook.Due{Check: "audit.b", Point: "edge", Required: true, LeftOut: "no log"}),
			"CANNOT TELL: 1 required check is undecided, first audit.b at edge: no log", 4},
		{"out of scope", func() *ride {
			r := newRide().saw("issue.a", "AS", pass).saw("rotate.b", "edge", inconclusive)
			r.head.Scope = []logbook.Exclusion{{Check: "rotate.*", Reason: "change freeze", Expires: next}}
			return r
		}(), "READY, not tested: rotate (change freeze)", 0},
		{"out of scope, but it fails", func() *ride {
			r := newRide().saw("rotate.b", "edge", fail)
			r.head.Scope = []logbook.Exclusion{{Check: "rotate.*", Reason: "change freeze", Expires: next}}
			return r
		}(), "NOT READY: 1 blocking; broken: rotate.b at edge", 3},
		{"scope expired", func() *ride {
			r := newRide().saw("issue.a", "AS", pass).saw("rotate.b", "edge", inconclusive)
			r.head.Scope = []logbook.Exclusion{{Check: "rotate.*", Reason: "change freeze", Expires: past}}
			return r
		}(), "CANNOT TELL: 1 required check is undecided, first rotate.b at edge: inconclusive", 4},
		{"waived", func() *ride {
			r := newRide().saw("issue.a", "AS", fail).saw("issue.b", "AS", pass)
			r.head.Waivers = []logbook.Exclusion{{Check: "issue.a", Expires: next}}
			return r
		}(), "READY, 1 failure waived", 0},
		{"waiver of another point", func() *ride {
			r := newRide().saw("issue.a", "AS", fail)
			r.head.Waivers = []logbook.Exclusion{{Check: "issue.a", Point: "edge", Expires: next}}
			return r
		}(), "NOT READY: 1 blocking; broken: issue.a at AS", 3},
		{"waiver expired", func() *ride {
			r := newRide().saw("issue.a", "AS", fail)
			r.head.Waivers = []logbook.Exclusion{{Check: "issue.a", Expires: past}}
			return r
		}(), "NOT READY: 1 blocking; broken: issue.a at AS", 3},
		{"waiver for ever", func() *ride {
			r := newRide().saw("issue.a", "AS", fail)
			r.head.Waivers = []logbook.Exclusion{{Check: "*"}}
			return r
		}(), "NOT READY: 1 blocking; broken: issue.a at AS", 3},
		{"no waiver of what is not known", func() *ride {
			r := newRide().saw("issue.a", "AS", inconclusive).saw("issue.b", "AS", pass)
			r.head.Waivers = []logbook.Exclusion{{Check: "issue.a", Expires: next}}
			return r
		}(), "CANNOT TELL: 1 required check is undecided, first issue.a at AS: inconclusive", 4},
		{"partial", func() *ride { r := newRide().saw("issue.a", "AS", pass); r.head.Only = []string{"issue.a"}; return r }(), "READY, of 1 check only", 0},
		{"partial and not ready", func() *ride {
			r := newRide().saw("issue.a", "AS", fail).saw("issue.b", "AS", pass)
			r.head.Only = []string{"issue.*"}
			return r
		}(), "NOT READY, of 2 checks only: 1 blocking; broken: issue.a at AS", 3},
		{"times", newRide().card(logbook.Card{ID: "revoke.t", Title: "a revoked access token is refused in time", Severity: logbook.Critical}).
			saw("revoke.t", "edge", fail, bounds(logbook.Bound{Outcome: fail, Low: 14800 * time.Millisecond, High: 15 * second, Limit: 10 * second})).
			saw("revoke.t", "legacy", fail, bounds(logbook.Bound{Outcome: pass, High: second, Limit: 10 * second}, logbook.Bound{Outcome: fail, Low: 40 * second, High: 41 * second, Limit: 10 * second})).
			saw("revoke.t", "gw", fail, bounds(logbook.Bound{Outcome: fail, Low: 112800 * time.Millisecond, Never: true, Expired: true, Limit: 10 * second})),
			"NOT READY: 1 blocking; a revoked access token still opens gw until it expires (112.8 s), legacy for 41 s and edge for 15 s (limit 10 s)", 3},
		{"times of points that one check watches together", newRide().card(logbook.Card{ID: "rotate.t", Title: "a withdrawn signing key is refused in time", Severity: logbook.Critical}).
			saw("rotate.t", "stack", fail, bounds(
				logbook.Bound{Outcome: pass, Point: "gw", High: second, Limit: 8 * second},
				logbook.Bound{Outcome: fail, Point: "edge", Low: 14 * second, High: 15 * second, Limit: 8 * second},
				logbook.Bound{Outcome: fail, Point: "edge", Low: 13 * second, High: 14 * second, Limit: 8 * second},
				logbook.Bound{Outcome: fail, Point: "legacy", Low: 40 * second, High: 41 * second, Limit: 8 * second})),
			"NOT READY: 1 blocking; a withdrawn signing key still opens legacy for 41 s and edge for 15 s (limit 8 s)", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := c.ride.judge(t)
			if v.Line != c.want || v.Exit() != c.exit {
				t.Errorf("got  %s (exit %d)\nwant %s (exit %d)", v.Line, v.Exit(), c.want, c.exit)
			}
		})
	}
}

func TestOneCauseOneFinding(t *testing.T) {
	r := newRide().
		card(logbook.Card{ID: "bind.root", Title: "r", Severity: logbook.Medium}).
		saw("bind.root", "gw", fail).saw("bind.root", "edge", pass).
		saw("compromise.child", "gw", fail, because("bind.root", "")).
		saw("compromise.grandchild", "gw", fail, because("compromise.child", "")).
		saw("claims.x", "gw", fail, because("claims.y", "")).
		saw("claims.y", "gw", fail, because("claims.x", "")).
		saw("rotate.waits", "gw", inconclusive, because("compromise.child", "")).
		saw("enforce.waived", "gw", fail).
		saw("revoke.stands", "gw", fail, because("enforce.waived", ""))
	r.head.Waivers = []logbook.Exclusion{{Check: "enforce.waived", Expires: started.Add(time.Hour)}, {Check: "issue.*", Expires: started.Add(time.Hour)}, {Check: "revoke.stands", Expires: started}}
	v := r.judge(t)
	var got []string
	for _, f := range v.Findings {
		got = append(got, fmt.Sprintf("%d %s %s %v also %v", f.Number, f.ID, f.Severity, f.Points, f.AlsoChecks()))
	}
	want := []string{
		"1 bind.root critical [gw] also [compromise.child compromise.grandchild]", // as grave as the worst that it causes
		"2 claims.x critical [gw] also []",
		"3 claims.y critical [gw] also []",
		"4 revoke.stands critical [gw] also []", // a waiver covers no more than it names
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := v.Unsure[0].Finding; n != 1 {
		t.Errorf("what waits for finding 1 names %d", n)
	}
	states := []string{v.Waivers[0].State, v.Waivers[1].State, v.Waivers[2].State}
	if diff := cmp.Diff([]string{"used", "stale: matches nothing", "expired"}, states); diff != "" {
		t.Error(diff)
	}
	if lapsed := v.Findings[3].Seen[0].Lapsed; lapsed == nil || lapsed.Check != "revoke.stands" {
		t.Error("the finding does not name the waiver that expired")
	}
}

func TestOddColumn(t *testing.T) {
	r := newRide()
	for i, marks := range [][3]logbook.Outcome{{pass, pass, fail}, {pass, pass, pass}, {fail, fail, pass}, {fail, pass, pass}, {inconclusive, pass, fail}} {
		for j, point := range []string{"edge", "legacy", "gw"} {
			r.saw(fmt.Sprintf("enforce.c%d", i), point, marks[j])
		}
	}
	v := r.saw("issue.a", "AS", fail).judge(t)
	want := Odd{Point: "gw", Alone: 2, Of: 4, Each: []Alone{{"edge", 1}, {"legacy", 0}, {"gw", 2}}}
	if diff := cmp.Diff(want, v.Odd); diff != "" {
		t.Error(diff)
	}
	if row := v.Stages[1].Rows[2]; row.Odd != 3 {
		t.Errorf("row %s marks column %d", row.Card.ID, row.Odd)
	}
}

func TestLaterAttempts(t *testing.T) {
	r := newRide().saw("issue.a", "AS", fail).saw("issue.a", "AS", pass).saw("audit.b", "AS", inconclusive).saw("audit.b", "AS", pass)
	v := r.judge(t)
	if v.Word != NotReady || v.Required != 0 {
		t.Errorf("%s, %d undecided", v.Line, v.Required)
	}
}

func TestPromises(t *testing.T) {
	r := newRide()
	r.head.Limits = map[string]string{"limits.revocation.push": "2s", "limits.log_delay": "30s"}
	r.head.Lines = map[string]int{"limits.revocation.push": 41}
	r.saw("revoke.t", "edge", fail)
	r.entries[len(r.entries)-2].Due.Promise = "limits.revocation.push"
	want := []Promise{{Key: "limits.log_delay", Value: "30s"}, {Key: "limits.revocation.push", Value: "2s", Line: 41, Mark: Fail, Checks: []string{"revoke.t"}, Broken: []string{"edge"}}}
	if diff := cmp.Diff(want, r.judge(t).Promises); diff != "" {
		t.Error(diff)
	}
}

func TestFaultyBooks(t *testing.T) {
	with := func(last error) logbook.Source {
		return func() iter.Seq2[logbook.Entry, error] {
			return func(yield func(logbook.Entry, error) bool) {
				for e, err := range newRide().saw("issue.a", "AS", pass).source()() {
					if err != nil {
						panic(err)
					}
					if !yield(e, nil) {
						return
					}
				}
				yield(logbook.Entry{}, last)
			}
		}
	}
	v, err := Of(with(&logbook.Fault{Line: 9, Err: logbook.ErrCut}))
	if err != nil || v.Word != CannotTell || v.Cut == "" {
		t.Errorf("cut book: %v, %v", v.Line, err)
	}
	garbled := errors.New("garbled")
	if _, err = Of(with(garbled)); !errors.Is(err, garbled) {
		t.Errorf("garbled book: %v", err)
	}
}

// The logbook is in time order and readers sort: the order of the observations must not matter.
func TestOrderDoesNotMatter(t *testing.T) {
	checks := []string{"issue.a", "bind.b", "bind.c", "revoke.d"}
	rapid.Check(t, func(t *rapid.T) {
		r := newRide()
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			r.saw(rapid.SampledFrom(checks).Draw(t, "check"), rapid.SampledFrom([]string{"AS", "edge", "legacy", "gw", "new"}).Draw(t, "point"),
				logbook.Outcome(rapid.IntRange(0, 4).Draw(t, "outcome")),
				because(rapid.SampledFrom(append(checks, "")).Draw(t, "cause"), rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "why")))
		}
		if rapid.Bool().Draw(t, "waiver") {
			r.head.Waivers = []logbook.Exclusion{{Check: "bind.*", Expires: started.Add(time.Hour)}}
		}
		want, err := Of(r.source())
		if err != nil {
			t.Fatal(err)
		}
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(r.entries), func(i, j int) {
			if r.entries[i].Observation != nil && r.entries[j].Observation != nil {
				r.entries[i], r.entries[j] = r.entries[j], r.entries[i]
			}
		})
		got, err := Of(r.source())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		blocking := slices.ContainsFunc(want.Findings, func(f Finding) bool { return f.Blocking })
		if blocking != (want.Word == NotReady) || want.Word == Ready && want.Required > 0 {
			t.Fatalf("%s with %d blocking and %d undecided", want.Word, want.Blocking, want.Required)
		}
		if want.Cells.Total() == 0 != (len(want.Stages) == 0) {
			t.Fatal("cells without stages")
		}
	})
}

func TestTime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 400 * time.Microsecond: "1 ms", 11 * time.Millisecond: "11 ms", 6130 * time.Millisecond: "6.1 s", 41 * time.Second: "41 s",
		112800 * time.Millisecond: "112.8 s", 122800 * time.Millisecond: "2 min 02.8 s", 5 * time.Minute: "5 min", 125 * time.Minute: "2 h 5 min", 90 * 24 * time.Hour: "90 d",
	} {
		if got := Time(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	b := logbook.Bound{Low: 2049 * time.Millisecond, High: 2301 * time.Millisecond}
	if got := Interval(&b); got != "[2.04, 2.31] s" {
		t.Errorf("%s: an interval must not shrink by rounding", got)
	}
	if got := quote("it's a plan.yaml"); got != `'it'\''s a plan.yaml'` {
		t.Error(got)
	}
}
