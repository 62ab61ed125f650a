package prove

import (
	"os"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
)

func TestTmp(t *testing.T) {
	for _, name := range strings.Fields(os.Getenv("TMP_DEFECTS")) {
		set, err := defect.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ridden(t, Setup{Catalogue: checks.Catalogue(), Defects: set}, func(t *testing.T, entries []logbook.Entry) {
				for _, row := range Rows(checks.Catalogue()) {
					if strings.Join(row.Defects.Names(), "") != name {
						continue
					}
					row.Read(entries)
					t.Log("LINE", row.Line())
					for _, w := range row.Wrong(checks.Catalogue()) {
						t.Error("WRONG", w)
					}
				}
			})
		})
	}
}
