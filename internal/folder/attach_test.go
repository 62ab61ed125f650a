package folder

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/attach"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/memnet"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/ride"
	"github.com/checkride/checkride/internal/sandbox"
	"github.com/checkride/checkride/internal/verdict"
)

var auditSection = regexp.MustCompile(`(?m)^audit:\n(?:  .*\n)+`)

// TestAttachedExportsDecide rides without any log, and attaches those of the sandbox's components the next day.
func TestAttachedExportsDecide(t *testing.T) {
	t.Parallel()
	under := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		defer network.Close()
		logs := filepath.Join(under, "stack")
		stack, err := sandbox.Start(sandbox.Config{Network: sandbox.Named(network), Dir: logs, Defects: defect.Set{DenialsUnlogged: true, TokenInLog: true}})
		if err != nil {
			t.Fatal(err)
		}
		defer stack.Close()
		whole := read(t, stack.Plan())
		text := auditSection.ReplaceAllString(whole, "audit: none\n")
		if text == whole {
			t.Fatal("the plan has no audit section")
		}
		f, err := Make(filepath.Join(under, "out"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		_, err = Ride(t.Context(), ride.Config{
			Plan: planned(t, filepath.Join(logs, "no-log.yaml"), text), Catalogue: checks.Catalogue(), StateDir: filepath.Join(under, "state"), Dial: network.DialContext, Listen: network.Listen,
			Tool: "checkride/test", Only: []string{"audit.*", "enforce.without-token", "enforce.tampered-token", "enforce.no-way-around", "authenticate.wrong-secret"},
		}, f, silent{})
		if err != nil {
			t.Fatal(err)
		}
		if v := judged(t, f); v.Word != verdict.Ready || !strings.Contains(v.Line, "not tested: audit (no access)") {
			t.Fatalf("without any log: %s", v.Line)
		}

		attached := func(name string) verdict.Verdict {
			t.Helper()
			v, err := f.Attach(t.Context(), plan.LogSource{Name: name, File: filepath.Join(logs, name+".jsonl"), Preset: "checkride", Covers: []string{name}}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		v := attached("edge")
		for check, want := range map[string]verdict.Mark{attach.Steps: verdict.Pass, attach.Refusals: verdict.Pass} {
			if got := markAt(v, check, "edge"); got != want {
				t.Errorf("%s at edge is %v, want %v", check, got, want)
			}
		}
		if v.Word != verdict.Ready {
			t.Errorf("with the log of edge: %s", v.Line)
		}
		_, err = f.Attach(t.Context(), plan.LogSource{Name: "again", File: filepath.Join(logs, "edge.jsonl"), Preset: "checkride", Covers: []string{"edge"}}, time.Now())
		if !errors.Is(err, attach.ErrAgain) {
			t.Errorf("the same export again: %v", err)
		}
		v = attached("legacy") // leaves no record of what it refuses
		if got := markAt(v, attach.Refusals, "legacy"); got != verdict.Fail || v.Word != verdict.NotReady {
			t.Errorf("refusals at legacy are %v: %s", got, v.Line)
		}
		v = attached("gateway") // writes tokens into its log
		if got := markAt(v, attach.Secrets, "gateway"); got != verdict.Fail {
			t.Errorf("secrets at gateway are %v", got)
		}
		if len(v.Attached) != 3 {
			t.Errorf("%d exports are told of, want 3", len(v.Attached))
		}
		leaking := regexp.MustCompile(`eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+`).FindString(read(t, filepath.Join(logs, "gateway.jsonl")))
		for _, path := range []string{f.Logbook(), f.HTML(), f.JSON()} {
			if leaking == "" || strings.Contains(read(t, path), leaking) {
				t.Errorf("%s holds the token that the export holds, or the export holds none", filepath.Base(path))
			}
		}

		before := read(t, f.Logbook())
		foreign := filepath.Join(under, "foreign.jsonl")
		err = os.WriteFile(foreign, []byte(`{"time":"2026-10-06T08:14:28Z","client_id":"somebody"}`+"\n"), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Attach(t.Context(), plan.LogSource{Name: "foreign", File: foreign, Preset: "checkride", Covers: []string{"edge"}}, time.Now())
		if !errors.Is(err, attach.ErrForeign) || read(t, f.Logbook()) != before {
			t.Errorf("an export of something else: %v", err)
		}
		_, err = f.Attach(t.Context(), plan.LogSource{Name: "edge", File: foreign, Preset: "checkride", Covers: []string{"egde"}}, time.Now())
		if err == nil || !strings.Contains(err.Error(), `no place "egde"`) {
			t.Errorf("a place that is not there: %v", err)
		}
	})
}

func markAt(v verdict.Verdict, check, point string) verdict.Mark {
	for _, stage := range v.Stages {
		for _, row := range stage.Rows {
			for _, cell := range row.Cells {
				if cell.Check == check && cell.Point == point {
					return cell.Mark
				}
			}
		}
	}
	return verdict.NotAsked
}

// The checks that an export decides are those of the catalogue.
func TestAttachedChecksExist(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, c := range checks.Catalogue() {
		known[c.ID] = true
	}
	for _, id := range []string{attach.Steps, attach.Refusals, attach.Lifecycle, attach.Secrets} {
		if !known[id] {
			t.Errorf("no check is called %s", id)
		}
	}
}
