package prove

import (
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/defect"
)

// Pinned is a line of the golden matrix: the loud cells of one defect, and whether it gets on with others.
type Pinned struct {
	Name  string
	Cells []string // check at place
	Alone bool     // with other defects beside it something else is loud: it is ridden by itself
}

// mark stands before the cells of a defect that is ridden by itself.
const mark = "(alone) "

// Line is the pinned line as the golden file holds it.
func (p Pinned) Line() string {
	var told []string
	for _, cell := range p.Cells {
		check, place, _ := strings.Cut(cell, " at ")
		if n := len(told); n > 0 && strings.HasPrefix(told[n-1], check+" at ") {
			told[n-1] += ", " + place
			continue
		}
		told = append(told, cell)
	}
	before := ""
	if p.Alone {
		before = mark
	}
	return p.Name + ": " + before + strings.Join(told, "; ")
}

// readPinned reads a golden file.
func readPinned(text string) (map[string]Pinned, error) {
	pinned := map[string]Pinned{}
	for number, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		name, cells, found := strings.Cut(line, ": ")
		if !found {
			return nil, fmt.Errorf("line %d of the matrix is no line of it: %q; write it anew with -update", number+1, line)
		}
		cells, alone := strings.CutPrefix(cells, mark)
		p := Pinned{Name: name, Alone: alone}
		for _, told := range strings.Split(cells, "; ") {
			check, places, _ := strings.Cut(told, " at ")
			for _, place := range strings.Split(places, ", ") {
				p.Cells = append(p.Cells, check+" at "+place)
			}
		}
		pinned[name] = p
	}
	return pinned, nil
}

// Name is the row's defect, as the golden file calls it.
func (r *Row) Name() string { return strings.Join(r.Defects.Names(), "+") }

// Pin is what the row is pinned to when it was ridden by itself.
func (r *Row) Pin() Pinned {
	p := Pinned{Name: r.Name()}
	for _, cell := range r.Loud {
		p.Cells = append(p.Cells, cell.String())
	}
	return p
}

// Group is some defects that are ridden together: none of them is pinned to a cell of another. What is loud then must be
// exactly what they are pinned to; if it is not, each is ridden by itself.
type Group struct {
	Rows    []*Row
	Defects defect.Set
	Cells   []string // sorted
}

// atMost is how many defects are ridden together.
const atMost = 3

// groups lays rows together. Those that are neighbours in the catalogue sit in the same corner of the stack and would get
// in each other's way, so a group takes them from far apart.
func groups(rows []*Row, pinned map[string]Pinned) []*Group {
	var all []*Group
	var together []*Row
	for _, row := range rows {
		p, known := pinned[row.Name()]
		if !known || p.Alone {
			all = append(all, &Group{Rows: []*Row{row}, Defects: row.Defects, Cells: p.Cells})
			continue
		}
		together = append(together, row)
	}
	stride := (len(together) + atMost - 1) / atMost
	open := make([]*Group, stride)
	for i := range open {
		open[i] = &Group{}
	}
	for i, row := range together {
		at := i % stride
		for !open[at].take(row, pinned[row.Name()]) {
			at++
			if at == len(open) {
				open = append(open, &Group{})
			}
		}
	}
	return append(all, open...)
}

// take takes a row in, if there is room and it has nothing in common with those that are there.
func (g *Group) take(row *Row, pin Pinned) bool {
	if len(g.Rows) == atMost || slices.ContainsFunc(pin.Cells, func(cell string) bool { return slices.Contains(g.Cells, cell) }) {
		return false
	}
	both, ok := g.Defects.With(row.Defects)
	if !ok {
		return false
	}
	g.Rows, g.Defects = append(g.Rows, row), both
	g.Cells = slices.Sorted(slices.Values(slices.Concat(g.Cells, pin.Cells)))
	return true
}

// Name tells the defects.
func (g *Group) Name() string {
	var names []string
	for _, row := range g.Rows {
		names = append(names, row.Name())
	}
	return strings.Join(names, ",")
}

// AsPinned says that a ride of the whole group was as loud as its rows are pinned, and that nothing broke.
func (g *Group) AsPinned(ridden *Row) bool {
	return len(ridden.Broken) == 0 && slices.Equal(slices.Sorted(slices.Values(ridden.Pin().Cells)), g.Cells)
}
