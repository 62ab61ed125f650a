package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var rides = map[string]func() []logbook.Entry{"rich": richRide, "cut": cutRide, "healthy": healthyRide, "dirty": dirtyRide, "empty": emptyRide, "nothing": func() []logbook.Entry { return nil }}

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
