package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var rides = map[string]func() []logbook.Entry{"rich": richRide, "cut": cutRide, "healthy": healthyRide, "dirty": dirtyRide, "empty": emptyRide, "parked": parkedRide, "nothing": func() []logbook.Entry { return nil }}

// golden compares with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update and look at what it writes", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; if that is right, run the test with -update:\n%s", name, diff)
	}
}

func write(t *testing.T, entries []logbook.Entry, format func(io.Writer, logbook.Source) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := format(&out, logbook.Entries(entries)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func terminal(opts Options) func(io.Writer, logbook.Source) error {
	return func(w io.Writer, src logbook.Source) error { return Terminal(w, src, opts) }
}

func TestTerminal(t *testing.T) {
	opts := Options{Width: 100, Report: "checkride-20261006-081428/report.html", Logbook: "checkride-20261006-081428/logbook.jsonl"}
	for name, ride := range rides {
		t.Run(name, func(t *testing.T) { golden(t, "terminal-"+name+".txt", write(t, ride(), terminal(opts))) })
	}
	t.Run("narrow and in colour", func(t *testing.T) {
		golden(t, "terminal-narrow.txt", write(t, richRide(), terminal(Options{Width: 60, Color: true})))
	})
}

func TestJSON(t *testing.T) {
	for name, ride := range rides {
		t.Run(name, func(t *testing.T) {
			got := write(t, ride(), JSON)
			golden(t, name+".json", got)
			var report map[string]any
			if err := json.Unmarshal(got, &report); err != nil {
				t.Fatal(err)
			}
			if report["version"] != float64(JSONVersion) || report["line"] == "" {
				t.Errorf("version %v, line %q", report["version"], report["line"])
			}
			for key, value := range report {
				if value == nil {
					t.Errorf("%s is null; an empty list is []", key)
				}
			}
		})
	}
}

func TestTerminalKeepsItsWidth(t *testing.T) {
	for width := 60; width <= 160; width += 7 {
		for line := range strings.SplitSeq(string(write(t, richRide(), terminal(Options{Width: width}))), "\n") {
			if n := utf8.RuneCountInString(line); n > width && !strings.Contains(line, "alone     ") {
				t.Errorf("%d columns at a width of %d: %s", n, width, line)
			}
		}
	}
}

// Memory stays flat: what is kept does not grow with the number of exchanges.
func TestEvidenceIsFlat(t *testing.T) {
	const many = 50_000
	entries := richRide()
	long := func() iter.Seq2[logbook.Entry, error] {
		return func(yield func(logbook.Entry, error) bool) {
			for _, e := range entries[:len(entries)-1] {
				if !yield(e, nil) {
					return
				}
			}
			for i := range uint64(many) {
				extra := []logbook.Entry{
					{Exchange: &logbook.Exchange{Serial: 1000 + i}}, {Record: &logbook.Record{Serial: 1000 + i, Exchange: 1000 + i}}, {Record: &logbook.Record{Serial: 1e6 + i, Exchange: 5}},
					{At: time.Duration(i) * time.Second, Tick: &logbook.Tick{Check: "revoke.x", Name: "flapping", Accepted: i%2 == 0}},
				}
				for _, e := range extra {
					if !yield(e, nil) {
						return
					}
				}
			}
			yield(entries[len(entries)-1], nil)
		}
	}
	v, err := verdict.Of(long)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := gatherEvidence(long, &v)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, tr := range ev.tracks {
		runs += len(tr.runs)
	}
	if len(ev.exchanges) > 100 || len(ev.records[5]) > mostRecords || len(ev.records) > 100 || runs > mostRuns+20 {
		t.Errorf("%d exchanges, %d records of one, %d runs are kept", len(ev.exchanges), len(ev.records[5]), runs)
	}
}
