package house

import (
	"slices"
	"strings"
	"testing"
)

// TestArrows holds the imports of all code but tests against the table.
func TestArrows(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, s := range sources(t) {
		if s.file == nil || s.isTest() {
			continue
		}
		arrow, known := arrowOf(s.folder())
		if !known {
			t.Errorf("%s: no arrow for the folder %s; add it to Arrows with its reason", s.path, s.folder())
			continue
		}
		found[arrow.From] = true
		for _, imported := range s.imports() {
			to, ours := strings.CutPrefix(imported, Module+"/")
			if ours && !mayImport(s.folder(), to) {
				t.Errorf("%s imports %s; %s may import %v: %s", s.path, to, arrow.From, arrow.To, arrow.Why)
			}
		}
	}
	for _, arrow := range Arrows {
		if !found[arrow.From] && !slices.Contains(Coming, arrow.From) {
			t.Errorf("%s has no Go file any more; take it out of Arrows, or find out where its rule went", arrow.From)
		}
	}
}

// TestArrowsBite shows that the table forbids what it is there to forbid.
func TestArrowsBite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"internal/sandbox/as", "internal/defect", true},
		{"internal/sandbox/as", "internal/sandbox/ca", true},
		{"internal/sandbox/as", "internal/oauth", false},
		{"internal/sandbox", "internal/wire", false},
		{"internal/wire", "internal/plan", false},
		{"internal/plan", "internal/wire", false},
		{"internal/oauth", "internal/plan", false},
		{"internal/secret", "internal/logbook", false},
		{"internal/check", "internal/checks", false},
		{"internal/checks/revoke", "internal/wire", true}, // through check
		{"internal/checks/revoke", "internal/ride", false},
		{"internal/ride", "internal/checks", false},
		{"internal/ride", "internal/sandbox", false},
		{"internal/report", "internal/plan", false},
		{"internal/verdict", "internal/wire", false},
		{"internal/prove", "internal/sandbox/as", true},
		{"internal/ride", "cmd/checkride", false},
		{"cmd/checkride", "internal/prove", true},
		{"internal/secretary", "internal/secret", false}, // not in the table
	} {
		if may := mayImport(c.from, c.to); may != c.may {
			t.Errorf("%s imports %s: allowed is %v, want %v", c.from, c.to, may, c.may)
		}
	}
}

// TestRules holds every file against every rule.
func TestRules(t *testing.T) {
	t.Parallel()
	all := sources(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, s := range all {
				for _, fault := range r.faults(s) {
					t.Errorf("%s:%s (%s)", s.path, fault, r.why)
				}
			}
		})
	}
}

// TestRulesBite shows that every rule finds its own bad example and leaves its good one alone.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if len(r.faults(newSource(t, r.bad.path, r.bad.text))) == 0 {
				t.Errorf("finds nothing in %s:\n%s", r.bad.path, r.bad.text)
			}
			for _, fault := range r.faults(newSource(t, r.good.path, r.good.text)) {
				t.Errorf("finds in the good example: %s", fault)
			}
		})
	}
}

// TestPackageComments wants one comment per package that says what it is for.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for _, s := range sources(t) {
		if s.file != nil && !s.isTest() {
			said[s.folder()] = said[s.folder()] || s.file.Doc != nil
		}
	}
	for folder, has := range said {
		if !has {
			t.Errorf("%s: no package comment; say what it is for and which two names to start with", folder)
		}
	}
}

// TestTestsDoNotSleep wants tests to wait on a condition. In a testing/synctest bubble sleeping takes no time, so packages
// whose tests have one may sleep.
func TestTestsDoNotSleep(t *testing.T) {
	t.Parallel()
	all := sources(t)
	bubbles := map[string]bool{}
	for _, s := range all {
		if s.isTest() && slices.Contains(s.imports(), "testing/synctest") {
			bubbles[s.folder()] = true
		}
	}
	for _, s := range all {
		if !s.isTest() || bubbles[s.folder()] {
			continue
		}
		for _, fault := range calls(s, "time", "Sleep") {
			t.Errorf("%s:%s; wait on a condition, or use testing/synctest", s.path, fault)
		}
	}
}

// TestChangelog wants a place for what is not released yet.
func TestChangelog(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.path == "CHANGELOG.md" {
			if !strings.Contains(s.text, "\n## [Unreleased]\n") {
				t.Error("CHANGELOG.md has no section ## [Unreleased]")
			}
			return
		}
	}
	t.Error("CHANGELOG.md is missing")
}

// TestMatrixRunsInFull wants every test that runs in full only where the whole matrix is asked for (CHECKRIDE_MATRIX) to be
// in a package that a target of the Makefile asks it of: else it never does.
func TestMatrixRunsInFull(t *testing.T) {
	t.Parallel()
	const asks = "CHECKRIDE_MATRIX"
	asked := ""
	for line := range strings.Lines(page(t, "Makefile")) {
		if strings.Contains(line, asks+"=1 go test ") {
			asked += strings.TrimSpace(line) + " "
		}
	}
	for _, s := range sources(t) {
		if s.isTest() && !within(s.folder(), "test/house") && strings.Contains(s.text, `Getenv("`+asks) && !strings.Contains(asked, "./"+s.folder()+" ") {
			t.Errorf("%s: no target of the Makefile runs %s with %s", s.path, s.folder(), asks)
		}
	}
}
