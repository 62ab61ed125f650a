package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/checkride/checkride/internal/plan"
)

var wholePlan = regexp.MustCompile("(?s)```yaml\n(name: .*?)```")

// TestRecipesAreGoodPlans reads the plans that docs/registrars.md shows.
func TestRecipesAreGoodPlans(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "registrars.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plans := wholePlan.FindAllSubmatch(page, -1)
	if len(plans) < 2 {
		t.Fatalf("%s shows %d whole plans, want at least 2", path, len(plans))
	}
	for _, found := range plans {
		_, err := plan.Parse(path, ".", found[1], plan.At(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)))
		if err != nil {
			t.Error(err)
		}
	}
}
