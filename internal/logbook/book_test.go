package logbook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func collect(r io.Reader) ([]Entry, error) {
	var all []Entry
	for e, err := range Read(r) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// drawEntry draws an entry of any kind that has data of its own.
func drawEntry(t *rapid.T) Entry {
	e := Entry{At: time.Duration(rapid.Int64Min(0).Draw(t, "at"))}
	text := rapid.String()
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		e.Exchange = &Exchange{Serial: rapid.Uint64().Draw(t, "serial"), Point: text.Draw(t, "point"), Status: rapid.Int().Draw(t, "status"),
			Request: Message{Header: []Field{{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")}}, Body: text.Draw(t, "body")}}
	case 1:
		e.Observation = &Observation{Check: text.Draw(t, "check"), Outcome: Outcome(rapid.IntRange(0, 4).Draw(t, "outcome")), Asserted: rapid.Int().Draw(t, "asserted"),
			Bounds: []Bound{{Name: text.Draw(t, "bound"), Low: time.Duration(rapid.Int64().Draw(t, "low")), Never: rapid.Bool().Draw(t, "never")}}}
	case 2:
		e.Card = &Card{ID: text.Draw(t, "id"), Severity: Severity(rapid.IntRange(1, 4).Draw(t, "severity"))}
	case 3:
		e.Tick = &Tick{Check: text.Draw(t, "check"), Accepted: rapid.Bool().Draw(t, "accepted")}
	case 4:
		e.Record = &Record{Text: text.Draw(t, "text"), Fields: map[string]string{text.Draw(t, "k"): text.Draw(t, "v")}}
	case 5:
		e.End = &End{Finished: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "finished"), 0).UTC(), Left: []string{text.Draw(t, "left")}}
	}
	return e
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawEntry), 0, 12).Draw(t, "entries")
		var book bytes.Buffer
		w := NewWriter(&book)
		for _, e := range want {
			if err := w.Write(e); err != nil {
				t.Fatal(err)
			}
		}
		whole := bytes.Clone(book.Bytes())
		got, err := collect(bytes.NewReader(whole))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			got = []Entry{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}

		// Cut anywhere: all whole lines are read, and a cut within a line is said.
		at := rapid.IntRange(0, len(whole)-1).Draw(t, "cut")
		lines := bytes.Count(whole[:at], []byte("\n"))
		got, err = collect(bytes.NewReader(whole[:at]))
		atEdge := at > 0 && whole[at-1] == '\n' || whole[at] == '\n' // nothing lost but the newline
		if atEdge && err != nil || !atEdge && !errors.Is(err, ErrCut) {
			t.Fatalf("cut at byte %d: %v", at, err)
		}
		if n := max(lines-1, 0); len(got) != n && (whole[at] != '\n' || lines > 0 && len(got) != n+1) {
			t.Fatalf("cut at byte %d: %d entries of %d", at, len(got), n)
		}
	})
}

func TestFaultsNameTheirPlace(t *testing.T) {
	good := `{"at_ns":5,"note":{"about":"nodes","text":"two"}}` + "\n"
	head := "{\"v\":1}\n"
	for _, c := range []struct {
		name, book, message string
		entries             int
		is                  error
	}{
		{"garbled", head + good + "{nonsense}\n" + good, "line 3, byte 58", 1, nil},
		{"unknown outcome", head + `{"observation":{"outcome":"warn"}}` + "\n", `line 2, byte 8: unknown outcome "warn"`, 0, nil},
		{"cut", head + good + `{"at_ns":7,"no`, "line 3, byte 58: the logbook is cut", 1, ErrCut},
		{"empty", "", "line 1, byte 0", 0, ErrCut},
		{"cut at once", `{"v`, "line 1, byte 0", 0, ErrCut},
		{"another major", "{\"v\":2}\n" + good, "line 1, byte 0", 0, ErrVersion},
		{"no book", "<html>\n", "not a logbook", 0, nil},
		{"no version", good, "not a logbook", 0, nil},
		{"too long", head + good + `{"at_ns":7,"note":{"text":"` + strings.Repeat("x", MaxLine) + "\"}}\n", "line 3, byte 58: the line is longer", 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := collect(strings.NewReader(c.book))
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("error %v, want one with %q", err, c.message)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
			if len(got) != c.entries {
				t.Errorf("%d entries before the fault, want %d", len(got), c.entries)
			}
		})
	}
}

func TestUnknownKindsAreSkipped(t *testing.T) {
	got, err := collect(strings.NewReader("{\"v\":1}\n" + `{"at_ns":1,"hologram":{"x":[1,2]}}` + "\n\n" + `{"note":{"text":"here","mood":"new field"}}` + "\n"))
	if err != nil || len(got) != 1 || got[0].Note.Text != "here" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestWriterIsSharedAndStaysGood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logbook.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(f)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				if err := w.Write(Entry{Note: &Note{Text: fmt.Sprint(i, j)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := w.Write(Entry{Note: &Note{Text: strings.Repeat("x", MaxLine)}}); err == nil {
		t.Error("an entry that no reader takes was written")
	}
	f.Close()
	src := File(path)
	for range 2 { // twice: a source can be read again
		seen := map[string]bool{}
		for e, err := range src() {
			if err != nil {
				t.Fatal(err)
			}
			seen[e.Note.Text] = true
		}
		if len(seen) != 400 {
			t.Errorf("%d different entries, want 400", len(seen))
		}
	}
}

type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		return 0, errors.New("no space left")
	}
	d.room -= len(p)
	return len(p), nil
}

func TestFailedWriteIsSaidAgain(t *testing.T) {
	w := NewWriter(&fullDisk{room: 10})
	for range 2 {
		if err := w.Write(Entry{Note: &Note{Text: "lost"}}); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("got %v", err)
		}
	}
	if err := NewWriter(&fullDisk{}).Write(Entry{Note: &Note{}}); err == nil {
		t.Error("the first line failed and nobody knows")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"v\":1}\n{\"at_ns\":5,\"note\":{\"text\":\"two\"}}\n{\"head\":{\"blocks\":\"high\"}}\n"))
	f.Add([]byte("{\"v\":1}\n{\"observation\":{\"outcome\":\"pass\",\"bounds\":[{}]}}\n{\"en"))
	f.Add([]byte("\n\n{\"v\":null}"))
	f.Fuzz(func(t *testing.T, book []byte) {
		failed := false
		for _, err := range Read(bytes.NewReader(book)) {
			if failed {
				t.Fatal("entries after an error")
			}
			failed = err != nil
			if fault := new(Fault); failed && (!errors.As(err, &fault) || fault.Byte > int64(len(book))) {
				t.Fatalf("error without a place: %v", err)
			}
		}
	})
}
