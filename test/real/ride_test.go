//go:build linux

package real

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/report"
	"github.com/checkride/checkride/internal/ride"
)

// ridden rides a plan of the stack and gives the observations by check and point.
func ridden(t *testing.T, s *Stack, name string) map[string]logbook.Observation {
	t.Helper()
	path, err := s.Plan(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var entries []logbook.Entry
	_, err = ride.Run(t.Context(), ride.Config{
		Plan: p, Catalogue: checks.Catalogue(), Only: strings.Fields(os.Getenv("CHECKRIDE_ONLY")), Tool: "checkride/test",
		Ledger: filepath.Join(dir, "ledger.jsonl"), StateDir: dir,
		Write: func(e logbook.Entry) error { entries = append(entries, e); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = report.Terminal(&out, logbook.Entries(entries), report.Options{Width: 160})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	found := map[string]logbook.Observation{}
	for _, e := range entries {
		if e.Observation != nil {
			found[e.Observation.Check+" "+e.Observation.Point] = *e.Observation
		}
	}
	if path := os.Getenv("CHECKRIDE_KEEP"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w := logbook.NewWriter(f)
		for _, e := range entries {
			err = w.Write(e)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return found
}

func TestRideBehindNginx(t *testing.T) {
	t.Parallel()
	ridden(t, ForTest(t, Options{TokenLife: 45 * time.Second}), "oidc-nginx.yaml")
}

func TestRideBehindHAProxy(t *testing.T) {
	t.Parallel()
	ridden(t, ForTest(t, Options{TokenLife: 45 * time.Second}), "oidc-haproxy.yaml")
}

func TestRideGiven(t *testing.T) {
	t.Parallel()
	ridden(t, ForTest(t, Options{TokenLife: 45 * time.Second, Given: true}), "oidc-given.yaml")
}
