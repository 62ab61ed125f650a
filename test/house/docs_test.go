package house

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/plan"
)

// made are the pages that are generated, and may not be there yet.
var made = []string{"docs/terminal.svg", "docs/plan.md", "docs/checks"}

// TestLinks follows every link between the project's own pages.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#\s]+)`)
	for _, s := range sources(t) {
		if !strings.HasSuffix(s.path, ".md") {
			continue
		}
		for _, found := range link.FindAllStringSubmatch(s.text, -1) {
			to := found[1]
			if strings.Contains(to, "://") {
				continue
			}
			target := filepath.ToSlash(filepath.Join(s.folder(), to))
			_, err := os.Stat(filepath.Join("..", "..", target))
			if err != nil && !slices.Contains(made, target) {
				t.Errorf("%s: the link to %s leads nowhere", s.path, to)
			}
		}
	}
}

// TestReadmePlan reads the README's plan as a ride would.
func TestReadmePlan(t *testing.T) {
	t.Parallel()
	text := page(t, "README.md")
	_, rest, found := strings.Cut(text, "```yaml\n")
	if !found {
		t.Fatal("README.md shows no plan")
	}
	block, _, _ := strings.Cut(rest, "```")
	_, err := plan.Parse("README.md", t.TempDir(), []byte(block))
	if err != nil {
		t.Error(err)
	}
}

// TestRulesOfTruth wants every rule to name what shows it, and each named defect and situation to exist.
func TestRulesOfTruth(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, kind := range []reflect.Type{reflect.TypeFor[defect.Set](), reflect.TypeFor[defect.Situation]()} {
		for i := range kind.NumField() {
			known[kind.Field(i).Name] = true
		}
	}
	rules := strings.Split(page(t, "docs/rules-of-truth.md"), "\n### ")[1:]
	if len(rules) != 20 {
		t.Errorf("docs/rules-of-truth.md has %d rules, want 20", len(rules))
	}
	name := regexp.MustCompile("`([A-Z][A-Za-z]+)`")
	for _, rule := range rules {
		title, _, _ := strings.Cut(rule, "\n")
		_, shown, found := strings.Cut(rule, "*Shown:*")
		if !found || !strings.Contains(rule, "*Held:*") {
			t.Errorf("%s: says not both how it is held and what shows it", title)
		}
		for _, mentioned := range name.FindAllStringSubmatch(shown, -1) {
			if !known[mentioned[1]] {
				t.Errorf("%s: internal/defect has no %s", title, mentioned[1])
			}
		}
	}
}

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
