package checks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/profile"
)

// Every check has its place in every profile by the rule or by name, and the tables name no check that does not exist.
func TestEveryCheckIsPlaced(t *testing.T) {
	catalogue := checks.Catalogue()
	known := func(pattern string) bool {
		return slices.ContainsFunc(catalogue, func(c *check.Check) bool { return c.Matches(pattern) })
	}
	for _, p := range profile.All() {
		for _, raise := range p.Raises {
			if !known(raise.Check) {
				t.Errorf("the profile %s raises %s, which is no check", p.Name, raise.Check)
			}
		}
		for _, placing := range p.Places {
			if !known(placing.Check) {
				t.Errorf("the profile %s places %s, which is no check", p.Name, placing.Check)
			}
		}
		for _, c := range catalogue {
			j := profile.Of(p.Name).Judge(c.ID, c.Severity)
			if j.Severity < c.Severity {
				t.Errorf("the profile %s makes less of %s than the catalogue", p.Name, c.ID)
			}
			if j.Place != profile.Required && c.Severity >= logbook.High && j.Why == "" {
				t.Errorf("the profile %s does not require %s, which is %s, and does not say why", p.Name, c.ID, c.Severity)
			}
		}
	}
}

// Every check came with a version of the catalogue. A version that is not current any more has a list of what came with
// it, so that its checks keep it.
func TestEveryCheckHasItsVersion(t *testing.T) {
	catalogue := checks.Catalogue()
	versions := profile.Versions()
	came := map[string]int{}
	for _, c := range catalogue {
		since := profile.Since(c.ID)
		if !slices.Contains(versions, since) {
			t.Errorf("%s came with catalogue %s, which is no version", c.ID, since)
		}
		came[since]++
	}
	for _, version := range versions[:len(versions)-1] {
		if came[version] == 0 {
			t.Errorf("no check came with catalogue %s: list those that came with it in internal/profile/versions.go", version)
		}
	}
	seen := map[string]bool{}
	for _, id := range profile.Listed() {
		if seen[id] || !strings.Contains(id, ".") {
			t.Errorf("%s is listed twice, or is no id", id)
		}
		seen[id] = true
		if !slices.ContainsFunc(catalogue, func(c *check.Check) bool { return c.ID == id }) {
			t.Errorf("%s is listed in internal/profile/versions.go, and is no check: a check's id never changes", id)
		}
	}
}
