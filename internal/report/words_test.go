package report

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
	"github.com/google/go-cmp/cmp"
)

func TestTogether(t *testing.T) {
	for _, row := range []struct{ names, want []string }{
		{[]string{"no certificate at node 36303", "no certificate at node 37519"}, []string{"no certificate at 2 nodes"}},
		{[]string{"no certificate at node 36303"}, []string{"no certificate at node 36303"}},
		{[]string{"the first token at edge", "a key", "the first token at legacy"}, []string{"the first token at edge and legacy", "a key"}},
	} {
		if diff := cmp.Diff(row.want, together(row.names)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFailed(t *testing.T) {
	for want, n := range map[string][2]int{"both cases fail": {2, 2}, "all 3 cases fail": {3, 3}, "1 of 4 cases fails": {1, 4}, "3 of 4 cases fail": {3, 4}} {
		if got := failed(n[0], n[1]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Tokens that outlive the ride are no dirt of the ride, but what a finding says of the stack.
func TestCleanupPointsToTheFinding(t *testing.T) {
	fails := verdict.Cell{Check: "offboard.token", Point: "gateway", Card: logbook.Card{Stage: logbook.Offboard}, Observation: &logbook.Observation{}}
	v := &verdict.Verdict{
		End:      &logbook.End{Created: map[string]int{"tokens": 241, "clients": 2}, Left: []string{}},
		Removals: []logbook.Removal{{Kind: "client", Name: "a", Gone: true, Tried: true}, {Kind: "tokens", Name: "(4 of 241) that open gateway until they expire", Tried: true}},
		Findings: []verdict.Finding{{Number: 1}, {Number: 2, Also: []verdict.Cell{fails}}},
	}
	text, clean := cleanup(v)
	want := "2 clients and 241 tokens created; 4 of 241 tokens still open gateway until they expire, as finding 2 says; all else was removed"
	if text != want || clean {
		t.Errorf("%q, clean %t\nwant %q", text, clean, want)
	}
	v.Removals = append(v.Removals, logbook.Removal{Kind: "client", Name: "b"})
	text, _ = cleanup(v)
	if !strings.HasSuffix(text, "; LEFT BEHIND: client b") {
		t.Errorf("a client that was left is not named: %q", text)
	}
}

func TestBrief(t *testing.T) {
	golden(t, "terminal-brief.txt", write(t, richRide(), terminal(Options{Width: 100, Brief: true, Report: "report.html"})))
}

// A probe moves the live line: what was let in counts on, what was refused says so, what was not tried says that.
func TestWatching(t *testing.T) {
	p := newProgress()
	watch := func(check, point, name string, refused time.Duration, over bool) {
		p.add(logbook.Entry{At: time.Second, Watch: &logbook.Watch{Check: check, Point: point, Name: name, What: "revoked token", Since: time.Second, Until: 4 * time.Second, Limit: 2 * time.Second, Refused: refused, Over: over}})
	}
	tick := func(check, point, name string, accepted bool) {
		p.add(logbook.Entry{At: 2 * time.Second, Tick: &logbook.Tick{Check: check, Point: point, Name: name, Accepted: accepted}})
	}
	watch("revoke.a", "edge", "watched", 0, false)
	watch("revoke.a", "edge", "young", 0, false)
	watch("revoke.a", "gateway", "watched", 0, false)
	watch("revoke.b", "legacy", "never used", 0, false)
	watch("revoke.c", "legacy", "watched", time.Second, false)
	watch("revoke.d", "legacy", "watched", 0, true)
	tick("revoke.a", "edge", "watched", false)
	tick("revoke.a", "gateway", "watched", true)
	var got []string
	shown, quiet := p.groups()
	for _, g := range shown {
		state, limit := g.say(p.now)
		got = append(got, g.point+" "+state+", "+limit)
	}
	want := []string{
		"gateway accepted, 1 s so far, limit 2 s", "legacy still accepted after 3 s, limit 2 s", "edge refused, watched for 1 s, limit 2 s", "legacy to be tried, 1 s so far, limit 2 s",
	}
	if diff := cmp.Diff(want, got); diff != "" || quiet != 1 {
		t.Errorf("%d refused in time; %s", quiet, diff)
	}
}

// A frame that is higher than the screen cannot be redrawn in place.
func TestFrameFitsTheScreen(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "screen")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if rows := NewLive(file, Options{}).rows(); rows != usualRows {
		t.Errorf("%d rows of a file", rows)
	}
	l := NewLive(file, Options{})
	for _, e := range richRide() {
		if e.At > 41*time.Second {
			break
		}
		l.state.add(e)
	}
	for i := range 60 {
		l.state.add(logbook.Entry{Watch: &logbook.Watch{Check: "revoke.x", Point: strings.Repeat("p", i+1), What: "revoked token", Limit: time.Second}})
	}
	for rows := 8; rows < 60; rows++ {
		frame := l.frame(rows)
		if n := strings.Count(frame, "\n"); n >= rows {
			t.Errorf("%d lines on a screen of %d:\n%s", n, rows, frame)
		}
	}
}

// The evidence of a watch is a story: a control, the withdrawal, what was still let in, a control.
func TestEvidenceOfAWatchTellsItsStory(t *testing.T) {
	v, err := verdict.Of(logbook.Entries(richRide()))
	if err != nil {
		t.Fatal(err)
	}
	ev, err := gatherEvidence(logbook.Entries(richRide()), &v)
	if err != nil {
		t.Fatal(err)
	}
	o := &logbook.Observation{Bounds: []logbook.Bound{{Name: "watched"}}}
	for i, purpose := range []string{"control", "control", "setup", "setup", "probe", "probe", "probe", "probe", "control", "control"} {
		serial := uint64(9000 + i)
		decision := "accepted"
		if i == 7 {
			decision = "refused"
		}
		ev.exchanges[serial] = &dated{Exchange: logbook.Exchange{Serial: serial, Purpose: purpose, Decision: decision}}
		o.Exchanges = append(o.Exchanges, serial)
	}
	if diff := cmp.Diff([]uint64{9001, 9003, 9004, 9006, 9007, 9009}, ev.told(o, mostOfOne)); diff != "" {
		t.Error(diff)
	}
}

func TestLifeOfAPartner(t *testing.T) {
	life := drawLife("offboard.life", []string{"registered", "deleted"}, []logbook.Case{
		{Name: "the first token at edge", Outcome: logbook.Pass}, {Name: "the first token at gateway", Outcome: logbook.Fail, Observed: "200"},
		{Name: "introspection of the first token for edge", Outcome: logbook.Pass}, {Name: "introspection of the first token for gateway", Outcome: logbook.Fail},
	})
	if diff := cmp.Diff([]string{"edge", "gateway", "server"}, life.Places); diff != "" || life.Open != 2 || len(life.Rows) != 2 {
		t.Errorf("%d of %d rows are open; %s", life.Open, len(life.Rows), diff)
	}
	if cell := life.Rows[0].Cells[1]; cell.Word != "still opens" || life.Rows[0].Cells[0].Word != "dead" || life.Rows[0].Cells[2].Tried {
		t.Errorf("%+v", life.Rows[0])
	}
	if life.Rows[1].Cells[2].Class != "f" {
		t.Error("the worse of two results in a cell is hidden")
	}
}

// A number does not part from its unit.
func TestPhrases(t *testing.T) {
	got := strings.Join(phrases("opens edge for 2.5 s, then 1 min (limit 2 s) in 3 steps"), "|")
	if want := "opens|edge|for|2.5 s,|then|1 min|(limit 2 s)|in|3|steps"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Each rotation has a row, and shows the latest time at each place, and a refusal before any time.
func TestRotations(t *testing.T) {
	v := &verdict.Verdict{Points: []logbook.Point{{Name: "edge"}, {Name: "legacy"}, {Name: "unused"}}}
	opening := func(what, at string, after time.Duration, never bool) verdict.Opening {
		return verdict.Opening{Check: "rotate.old-secret", Opening: logbook.Opening{What: what, At: at, After: after, Never: never}}
	}
	all := []verdict.Opening{
		opening("the new secret", "edge", 40*time.Millisecond, false), opening("the new secret", "edge", 30*time.Millisecond, false),
		opening("the new secret", "legacy", 2*time.Second, true), opening("the new secret", "legacy", 3*time.Second, false),
		opening("the new key", "edge", time.Second, false),
	}
	got := newRotations(v, all)
	want := &rotationsPage{Places: []string{"edge", "legacy"}, Rows: []rotationRow{
		{What: "the new secret", Check: "rotate.old-secret", Cells: []rotationCell{{Place: "edge", Text: "40 ms", Tried: true}, {Place: "legacy", Text: "refused for 2 s", Class: "f", Tried: true}}},
		{What: "the new key", Check: "rotate.old-secret", Cells: []rotationCell{{Place: "edge", Text: "1 s", Tried: true}, {Place: "legacy"}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for title, of := range map[string][]verdict.Opening{"What was new opened every place within 40 ms": all[:2], "1 place shut out what was new": all} {
		if told := rotationsTitle(of); told != title {
			t.Errorf("%q, want %q", told, title)
		}
	}
}
