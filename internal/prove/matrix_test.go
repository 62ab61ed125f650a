package prove

import (
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestMatrix rides the whole catalogue against every defect and pins the cells that fail. It takes a minute, so it runs
// in CI and by make matrix, and not with every go test.
func TestMatrix(t *testing.T) {
	if os.Getenv("CHECKRIDE_MATRIX") == "" && !*update {
		t.Skip("the whole matrix runs by make matrix")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // many short rides: memory is cheaper than time here
	catalogue := checks.Catalogue()
	rows := Rows(catalogue)
	t.Run("defects", func(t *testing.T) {
		for _, row := range rows {
			t.Run(strings.Join(row.Defects.Names(), "+"), func(t *testing.T) {
				t.Parallel()
				ridden(t, Setup{Catalogue: catalogue, Defects: row.Defects, Thrown: true}, func(t *testing.T, entries []logbook.Entry) { row.Read(entries) })
				for _, wrong := range row.Wrong(catalogue) {
					t.Error(wrong)
				}
			})
		}
	})
	var text strings.Builder
	for _, row := range rows {
		text.WriteString(row.Line() + "\n")
	}
	path := filepath.Join("testdata", "matrix.golden")
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
	if string(golden) != text.String() {
		t.Errorf("the matrix differs from %s; look at each cell, then run go test ./internal/prove -run TestMatrix -update\n%s", path, text.String())
	}
}

// Every check has a legal and unique id, a card, a fix, known references and a twin.
func TestCatalogueIsValid(t *testing.T) {
	for _, wrong := range check.Validate(checks.Catalogue()) {
		t.Error(wrong)
	}
}
