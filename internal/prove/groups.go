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
const atMost = 4

// Beside the others of its group, a defect that newly breaks a cell to which one of them is pinned is not heard. So each
// defect is ridden twice, in two companies that are pinned to nothing in common: whatever it breaks is then heard in at
// least one of them. That takes half as many rides as to ride each by itself, and shows the same.

// companies lays rows together twice. A row that rides by itself rides once.
func companies(rows []*Row, pinned map[string]Pinned) []*Group {
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
	first := lay(together, pinned, func(*Row, []*Row) bool { return true })
	hidden := hiding(first, pinned)
	var twice []*Row
	for _, group := range first {
		all = append(all, group)
		if len(group.Rows) > 1 {
			twice = append(twice, group.Rows...)
		}
	}
	return append(all, lay(twice, pinned, func(row *Row, others []*Row) bool {
		for _, other := range others {
			if meet(hidden[row.Name()], pinned[other.Name()].Cells) || meet(hidden[other.Name()], pinned[row.Name()].Cells) {
				return false
			}
		}
		return true
	})...)
}

// hiding gives the cells in which each row of the groups is not heard: those of the others in its group.
func hiding(groups []*Group, pinned map[string]Pinned) map[string][]string {
	hidden := map[string][]string{}
	for _, group := range groups {
		for _, row := range group.Rows {
			for _, other := range group.Rows {
				if other != row {
					hidden[row.Name()] = append(hidden[row.Name()], pinned[other.Name()].Cells...)
				}
			}
		}
	}
	return hidden
}

// lay lays rows together that may be. Those that are neighbours in the catalogue sit in the same corner of the stack and
// would get in each other's way, so a group takes them from far apart.
func lay(rows []*Row, pinned map[string]Pinned, may func(*Row, []*Row) bool) []*Group {
	stride := (len(rows) + atMost - 1) / atMost
	groups := make([]*Group, stride)
	for i := range groups {
		groups[i] = &Group{}
	}
	for i, row := range rows {
		at := i % stride
		for !may(row, groups[at].Rows) || !groups[at].take(row, pinned[row.Name()]) {
			at++
			if at == len(groups) {
				groups = append(groups, &Group{})
			}
		}
	}
	return groups
}

// take takes a row in, if there is room and it has nothing in common with those that are there.
func (g *Group) take(row *Row, pin Pinned) bool {
	if len(g.Rows) == atMost || meet(pin.Cells, g.Cells) {
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

// meet says whether two lists of cells have one in common.
func meet(some, others []string) bool {
	return slices.ContainsFunc(some, func(cell string) bool { return slices.Contains(others, cell) })
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
