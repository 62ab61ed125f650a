package prove

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
)

// Row is one defect of the matrix and what was said of the sandbox with it.
type Row struct {
	Defects defect.Set
	Checks  []*check.Check // whose twin it is
	Loud    []Cell         // the failures
	Broken  []Cell         // the tool's own errors: none is ever right
	Passed  int
}

// Cell is a check at a point.
type Cell struct{ Check, Point, Text string }

func (c Cell) String() string { return c.Check + " at " + c.Point }

// Rows lists the defects that the catalogue names, twins first, each once, in the catalogue's order.
func Rows(catalogue []*check.Check) []*Row {
	var rows []*Row
	of := map[defect.Set]*Row{}
	add := func(set defect.Set) *Row {
		if of[set] == nil {
			of[set] = &Row{Defects: set}
			rows = append(rows, of[set])
		}
		return of[set]
	}
	for _, c := range catalogue {
		row := add(c.Twin)
		row.Checks = append(row.Checks, c)
	}
	for _, c := range catalogue {
		for _, also := range c.Also {
			if !slices.ContainsFunc(rows, func(r *Row) bool { return slices.Equal(r.Defects.Names(), also.Names()) }) {
				add(also)
			}
		}
	}
	return rows
}

// Read takes a ride's entries into the row.
func (r *Row) Read(entries []logbook.Entry) {
	for _, e := range entries {
		o := e.Observation
		if o == nil {
			continue
		}
		switch o.Outcome {
		case logbook.Fail:
			r.Loud = append(r.Loud, Cell{Check: o.Check, Point: o.Point, Text: o.Observed})
		case logbook.Error:
			r.Broken = append(r.Broken, Cell{Check: o.Check, Point: o.Point, Text: o.Because})
		case logbook.Pass:
			r.Passed++
		}
	}
	sort.Slice(r.Loud, func(i, j int) bool { return r.Loud[i].String() < r.Loud[j].String() })
}

// Wrong says what the row must not say: a check that missed its twin, a cell that no check declares, an error.
func (r *Row) Wrong(catalogue []*check.Check) []string {
	var wrong []string
	name := strings.Join(r.Defects.Names(), "+")
	for _, c := range r.Checks {
		if !slices.ContainsFunc(r.Loud, func(cell Cell) bool { return cell.Check == c.ID }) {
			wrong = append(wrong, fmt.Sprintf("%s is not caught by %s, whose twin it is", name, c.ID))
		}
	}
	for _, cell := range r.Loud {
		i := slices.IndexFunc(catalogue, func(c *check.Check) bool { return c.ID == cell.Check })
		if i >= 0 && !declares(catalogue[i], r.Defects) {
			wrong = append(wrong, fmt.Sprintf("%s makes %s fail (%s), which does not declare it under Also", name, cell, cell.Text))
		}
	}
	for _, cell := range r.Broken {
		wrong = append(wrong, fmt.Sprintf("%s breaks %s: %s", name, cell, cell.Text))
	}
	return wrong
}

func declares(c *check.Check, set defect.Set) bool {
	same := func(other defect.Set) bool { return slices.Equal(other.Names(), set.Names()) }
	return c.Any || same(c.Twin) || slices.ContainsFunc(c.Also, same)
}
