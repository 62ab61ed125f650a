package prove

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
)

// TestRealTime runs the proof of the command, in a bubble: a check is quiet and loud where it must be, and one whose twin
// is another's is told to be wrong.
func TestRealTime(t *testing.T) {
	t.Parallel()
	var good *check.Check
	for _, c := range checks.Catalogue() {
		if c.ID == "bind.without-its-certificate" {
			good = c
		}
	}
	if good == nil {
		t.Fatal("the catalogue has no bind.without-its-certificate")
	}
	blind := *good
	blind.ID, blind.Twin = "bind.blind", defect.Set{GrantsUnlogged: true}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		told := map[string]bool{}
		err := RealTime{Catalogue: []*check.Check{good, &blind}, Side: 2, Dir: dir, Done: func(trial Trial) {
			told[trial.Check+" "+trial.Told.String()] = trial.Right
			if !trial.Right && trial.Because == "" {
				t.Errorf("%s is wrong for no reason", trial.Check)
			}
		}}.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !told[good.ID+" "+logbook.Pass.String()] || !told[good.ID+" "+logbook.Fail.String()] {
			t.Errorf("%s: %v, want quiet on healthy and loud on its twin", good.ID, told)
		}
		right, tried := told[blind.ID+" "+logbook.Pass.String()]
		if !tried || right {
			t.Errorf("%s does not see its twin and is not told to be wrong: %v", blind.ID, told)
		}
	})
}
