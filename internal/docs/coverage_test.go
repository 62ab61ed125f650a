package docs

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
)

func TestRows(t *testing.T) {
	all := Rows()
	if len(all) != 229 {
		t.Errorf("the catalogue has %d rows, not 229", len(all))
	}
	seen := map[string]bool{}
	for _, r := range all {
		var severity logbook.Severity
		err := severity.UnmarshalText([]byte(r.Severity))
		if err != nil || !strings.HasPrefix(r.ID, "L-") || r.Group == "" || r.Sent == "" || r.Answer == "" || seen[r.ID] {
			t.Errorf("an odd row: %+v", r)
		}
		seen[r.ID] = true
	}
	for id, why := range reasons {
		if !seen[id] || why == "" {
			t.Errorf("there is a reason for %s, which is no row, or it is empty", id)
		}
	}
}

//go:embed testdata/attacks.txt
var attacks string

// Checks name only rows and attacks that exist.
func TestCoverage(t *testing.T) {
	c := Cover(checks.Catalogue())
	for _, unknown := range c.Unknown {
		t.Errorf("no such row: %s", unknown)
	}
	known := strings.Fields(attacks)
	for _, one := range checks.Catalogue() {
		for _, id := range one.Rows {
			if strings.HasPrefix(id, attack) && !slices.Contains(known, id) {
				t.Errorf("no such attack: %s of %s", id, one.ID)
			}
		}
	}
	if open := c.Open(); len(open) > 0 {
		t.Errorf("rows without a check and without a reason in reasons.go: %s", strings.Join(open, " "))
	}
	for id := range partly {
		if len(c.By[id]) == 0 {
			t.Errorf("%s is said to be played in part, and no check plays it", id)
		}
	}
	for id := range reasons {
		if len(c.By[id]) > 0 {
			t.Errorf("%s has a check, and a reason why it has none", id)
		}
	}
	if c.Covered() < 165 {
		t.Errorf("only %d rows are played by checks", c.Covered())
	}
}

func TestCoverSeesWhatIsUnknownAndOpen(t *testing.T) {
	c := Cover([]*check.Check{{ID: "revoke.a", Rows: []string{"L-RV-09", "L-XX-01"}}})
	if !slices.Equal(c.Unknown, []string{"L-XX-01 of revoke.a"}) || c.Covered() != 1 {
		t.Errorf("unknown %v, covered %d", c.Unknown, c.Covered())
	}
	open := c.Open()
	if slices.Contains(open, "L-RV-09") || slices.Contains(open, "L-GW-11") || !slices.Contains(open, "L-RV-10") {
		t.Errorf("open: %v", open)
	}
}
