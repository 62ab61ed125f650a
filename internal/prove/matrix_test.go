package prove

import (
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestMatrix rides the whole catalogue against every defect and pins the cells that fail. It takes minutes, so it runs
// in CI and by make matrix, and not with every go test. Defects that are pinned to different cells are ridden together, each
// in two companies ([companies] says why that shows all), and each by itself where what is loud is not exactly what they
// are pinned to. CHECKRIDE_MATRIX=alone rides each by itself; with -update, the file is then written anew.
func TestMatrix(t *testing.T) {
	mode := os.Getenv("CHECKRIDE_MATRIX")
	if mode == "" && !*update {
		t.Skip("the whole matrix runs by make matrix")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // many short rides: memory is cheaper than time here
	catalogue := checks.Catalogue()
	rows := Rows(catalogue)
	path := filepath.Join("testdata", "matrix.golden")
	pinned := map[string]Pinned{}
	if golden, err := os.ReadFile(path); err == nil && mode != "alone" {
		pinned, err = readPinned(string(golden))
		if err != nil {
			t.Fatal(err)
		}
	}
	told := &told{lines: map[string]string{}}
	t.Run("defects", func(t *testing.T) {
		for _, group := range companies(rows, pinned) {
			t.Run(group.Name(), func(t *testing.T) {
				t.Parallel()
				if len(group.Rows) > 1 && group.AsPinned(loud(t, catalogue, group.Defects)) {
					for _, row := range group.Rows {
						told.asPinned(row.Name(), pinned[row.Name()].Line())
					}
					return
				}
				if len(group.Rows) > 1 {
					t.Logf("%s are not as loud together as they are by themselves: mark one of them with %q in %s", group.Name(), mark, path)
				}
				for _, row := range group.Rows {
					alone := &Row{Defects: row.Defects, Checks: row.Checks}
					ridden(t, Setup{Catalogue: catalogue, Defects: row.Defects, Thrown: true}, func(t *testing.T, entries []logbook.Entry) { alone.Read(entries) })
					for _, wrong := range alone.Wrong(catalogue) {
						t.Error(wrong)
					}
					pin := alone.Pin()
					pin.Alone = pinned[row.Name()].Alone
					told.seen(row.Name(), pin.Line())
				}
			})
		}
	})
	var text strings.Builder
	for _, row := range rows {
		text.WriteString(told.lines[row.Name()] + "\n")
	}
	if *update {
		err := os.MkdirAll("testdata", 0o755)
		if err != nil {
			t.Fatal(err)
		}
		err = os.WriteFile(path, []byte(text.String()), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(golden)
	if mode == "alone" {
		want = strings.ReplaceAll(want, mark, "")
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(text.String(), "\n")); diff != "" {
		t.Errorf("the matrix differs from %s; look at each cell, then run go test ./internal/prove -run TestMatrix -update (-want +got):\n%s", path, diff)
	}
}

// told are the lines of the matrix. What was seen of a defect by itself stands, whatever its companies say.
type told struct {
	mu    sync.Mutex
	lines map[string]string // by name
	alone map[string]bool
}

func (m *told) asPinned(name, line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.alone[name] {
		m.lines[name] = line
	}
}

func (m *told) seen(name, line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.alone == nil {
		m.alone = map[string]bool{}
	}
	m.lines[name], m.alone[name] = line, true
}

// Whatever a defect breaks is heard in one of its two companies: no cell is pinned to somebody else in both.
func TestNoCellIsHiddenTwice(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(filepath.Join("testdata", "matrix.golden"))
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := readPinned(string(golden))
	if err != nil {
		t.Fatal(err)
	}
	rows := Rows(checks.Catalogue())
	rides := map[string][]map[string]bool{} // by row: for each of its rides, the cells of the others
	for _, group := range companies(rows, pinned) {
		for _, row := range group.Rows {
			hidden := map[string]bool{}
			for _, other := range group.Rows {
				for _, cell := range pinned[other.Name()].Cells {
					if other != row {
						hidden[cell] = true
					}
				}
			}
			for _, cell := range pinned[row.Name()].Cells {
				if hidden[cell] {
					t.Errorf("%s rides with another that is pinned to %s, too", row.Name(), cell)
				}
			}
			rides[row.Name()] = append(rides[row.Name()], hidden)
		}
	}
	for _, row := range rows {
		all := rides[row.Name()]
		switch {
		case len(all) == 0:
			t.Errorf("%s is not ridden", row.Name())
		case len(all) == 1:
			if len(all[0]) > 0 {
				t.Errorf("%s is ridden once, and not by itself", row.Name())
			}
		default:
			for cell := range all[0] {
				if all[1][cell] {
					t.Errorf("%s is not heard at %s in either ride", row.Name(), cell)
				}
			}
		}
	}
}

// loud rides the whole catalogue with some defects.
func loud(t *testing.T, catalogue []*check.Check, defects defect.Set) *Row {
	t.Helper()
	row := &Row{Defects: defects}
	ridden(t, Setup{Catalogue: catalogue, Defects: defects, Thrown: true}, func(_ *testing.T, entries []logbook.Entry) { row.Read(entries) })
	return row
}

// TestPinnedLines reads the golden file as it was written.
func TestPinnedLines(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(filepath.Join("testdata", "matrix.golden"))
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := readPinned(string(golden))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n") {
		name, _, _ := strings.Cut(line, ": ")
		if got := pinned[name].Line(); got != line {
			t.Errorf("read back as %q, want %q", got, line)
		}
	}
	_, err = readPinned("no line")
	if err == nil {
		t.Error("a line without cells was read")
	}
}

// Every check has a legal and unique id, a card, a fix, known references and a twin.
func TestCatalogueIsValid(t *testing.T) {
	for _, wrong := range check.Validate(checks.Catalogue()) {
		t.Error(wrong)
	}
}
