package prove

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/report"
)

// ridden runs a setup in a bubble of fake time and gives its observations.
func ridden(t *testing.T, setup Setup, look func(t *testing.T, entries []logbook.Entry)) {
	t.Helper()
	if setup.Dir == "" {
		setup.Dir = t.TempDir()
	}
	synctest.Test(t, func(t *testing.T) {
		entries, err := Ride(context.Background(), setup)
		if err != nil {
			t.Fatal(err)
		}
		if testing.Verbose() {
			var out bytes.Buffer
			err = report.Terminal(&out, logbook.Entries(entries), report.Options{Width: 140})
			if err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + out.String())
		}
		look(t, entries)
	})
}

// TestHealthy rides the whole catalogue against the healthy sandbox: every outcome is a pass, but for DPoP at the older
// middleware, which does not take it, and for nonces at edge, which gives none.
func TestHealthy(t *testing.T) {
	t.Parallel()
	ridden(t, Setup{Catalogue: checks.Catalogue(), Only: only()}, func(t *testing.T, entries []logbook.Entry) {
		passes := 0
		for _, e := range entries {
			o := e.Observation
			switch {
			case o == nil:
			case o.Outcome == logbook.Pass:
				passes++
			case o.Outcome == logbook.NotApplicable && o.Point == "legacy" && strings.Contains(o.Because, "points.dpop"):
			case o.Outcome == logbook.NotApplicable && o.Point == "edge" && o.Check == "bind.proof-nonce":
			default:
				t.Errorf("%s at %s: %v; expected %s; observed %s; differs %s; because %s; notes %v", o.Check, o.Point, o.Outcome, o.Expected, o.Observed, o.Differs, o.Because, o.Notes)
			}
		}
		if passes == 0 {
			t.Error("nothing passed")
		}
	})
}

// TestTwins rides each check alone against the sandbox with its twin: somewhere it must find the promise of its title broken.
func TestTwins(t *testing.T) {
	for _, c := range checks.Catalogue() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			ridden(t, Setup{Catalogue: []*check.Check{c}, Defects: c.Twin}, func(t *testing.T, entries []logbook.Entry) {
				var told []string
				for _, e := range entries {
					if e.Observation == nil {
						continue
					}
					if e.Observation.Outcome == logbook.Fail && e.Observation.Breach == nil {
						return
					}
					told = append(told, e.Observation.Point+": "+e.Observation.Outcome.String()+" "+e.Observation.Because)
					if e.Observation.Breach != nil { // which another promise of the check is, and not that of its title
						told = append(told, e.Observation.Breach.Broken)
					}
				}
				t.Errorf("%s does not see %v: %s", c.ID, c.Twin.Names(), strings.Join(told, "; "))
			})
		})
	}
}

// only narrows the healthy ride while a check is written: CHECKRIDE_ONLY=bind.* go test ./internal/prove
func only() []string { return strings.Fields(os.Getenv("CHECKRIDE_ONLY")) }
