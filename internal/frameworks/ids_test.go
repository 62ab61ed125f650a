package frameworks

import (
	_ "embed"
	"strings"
	"testing"
)

// ids holds whole lists of ids, copied by program from their sources: "# CSF 2.0: what", then the ids.
//
//go:embed testdata/ids.txt
var ids string

// An id that a check cites is in the whole list of its framework. Lists have gaps, so an id made by counting may be none.
func TestIDsAreInTheWholeLists(t *testing.T) {
	lists := map[string]map[string]bool{}
	name := ""
	for line := range strings.Lines(ids) {
		if head, ok := strings.CutPrefix(line, "# "); ok {
			name, _, _ = strings.Cut(head, ":")
			lists[name] = map[string]bool{}
			continue
		}
		for _, id := range strings.Fields(line) {
			lists[name][id] = true
		}
	}
	for _, family := range []struct {
		name  string
		table []entry
		whole int
	}{{"CSF 2.0", csf, 106}, {"SP 800-53", controls, 1196}, {"ASVS 5.0", asvs, 345}} {
		list := lists[family.name]
		if len(list) != family.whole {
			t.Errorf("the list of %s has %d ids, not %d", family.name, len(list), family.whole)
		}
		for _, e := range family.table {
			if !list[e.id] {
				t.Errorf("%s has no %s", family.name, e.id)
			}
		}
	}
}
