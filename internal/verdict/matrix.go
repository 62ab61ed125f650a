package verdict

import (
	"cmp"
	"slices"

	"github.com/checkride/checkride/internal/logbook"
)

func stages(cells []Cell, points []logbook.Point, all []Finding) []Stage {
	var out []Stage
	for i := range cells {
		c := &cells[i]
		if len(out) == 0 || out[len(out)-1].Stage != c.Card.Stage {
			out = append(out, Stage{Stage: c.Card.Stage, Points: make([]Tally, len(points))})
		}
		s := &out[len(out)-1]
		if len(s.Rows) == 0 || s.Rows[len(s.Rows)-1].Card.ID != c.Check {
			s.Rows = append(s.Rows, Row{Card: c.Card, Cells: make([]Cell, len(points)), Odd: -1})
		}
		row := &s.Rows[len(s.Rows)-1]
		at := column(points, c.Point)
		row.Cells[at] = *c
		row.Mark = max(row.Mark, c.Mark)
		if row.Finding == 0 || c.Mark == Fail && c.Finding < row.Finding {
			row.Finding = c.Finding
		}
		s.Points[at][c.Mark]++
		if c.Mark == Fail && c.Finding > 0 && all[c.Finding-1].Blocking {
			s.Blocking = true
		}
	}
	for i := range out {
		for j := range out[i].Rows {
			row := &out[i].Rows[j]
			out[i].Checks[row.Mark]++
			row.Odd, _ = alone(row, points)
		}
	}
	return out
}

// alone gives the point that differs from all others, and whether the row can show it at all: at least three
// enforcement points are asked and each has decided.
func alone(row *Row, points []logbook.Point) (int, bool) {
	var broken, held []int
	for i, c := range row.Cells {
		switch {
		case points[i].Kind != "point" || c.Mark == NotAsked || c.Mark == LeftOut || c.Mark == NotApplicable:
		case c.Mark == Fail || c.Mark == Waived:
			broken = append(broken, i)
		case c.Mark == Pass:
			held = append(held, i)
		default:
			return -1, false
		}
	}
	switch {
	case len(broken)+len(held) < 3:
		return -1, false
	case len(broken) == 1:
		return broken[0], true
	case len(held) == 1:
		return held[0], true
	}
	return -1, true
}

func odd(all []Stage, points []logbook.Point) Odd {
	var out Odd
	times := make([]int, len(points))
	for _, s := range all {
		for j := range s.Rows {
			at, shows := alone(&s.Rows[j], points)
			if !shows {
				continue
			}
			out.Of++
			if at >= 0 {
				times[at]++
			}
		}
	}
	if out.Of == 0 {
		return out
	}
	for i, p := range points {
		if p.Kind != "point" {
			continue
		}
		out.Each = append(out.Each, Alone{p.Name, times[i]})
		switch {
		case times[i] > out.Alone:
			out.Point, out.Alone = p.Name, times[i]
		case times[i] == out.Alone:
			out.Point = "" // two that stand alone equally often: neither stands out
		}
	}
	return out
}

// columns gives the plan's points and then, by name, those that only the book knows.
func columns(points []logbook.Point, cells []Cell) []logbook.Point {
	all := slices.Clone(points)
	var more []string
	for _, c := range cells {
		if !slices.ContainsFunc(all, func(p logbook.Point) bool { return p.Name == c.Point }) {
			more = append(more, c.Point)
		}
	}
	slices.Sort(more)
	for _, name := range slices.Compact(more) {
		all = append(all, logbook.Point{Name: name})
	}
	return all
}

func column(points []logbook.Point, name string) int {
	return slices.IndexFunc(points, func(p logbook.Point) bool { return p.Name == name })
}

func byStage(a, b *logbook.Card) int {
	return cmp.Or(cmp.Compare(a.Stage.Order(), b.Stage.Order()), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.ID, b.ID))
}

func sortCells(cells []Cell, points []logbook.Point) {
	slices.SortFunc(cells, func(a, b Cell) int {
		return cmp.Or(byStage(&a.Card, &b.Card), cmp.Compare(column(points, a.Point), column(points, b.Point)))
	})
}
