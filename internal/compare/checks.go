package compare

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// place is a check at a point, both as the second ride calls them.
type place struct{ check, point string }

// judged takes a ride's cells at the places that can be compared, and counts those at points without counterpart.
func (c *Comparison) judged(side int) {
	at := map[string]*Point{}
	for i := range c.Points {
		if name := c.Points[i].Names[side]; name != "" {
			at[name] = &c.Points[i]
		}
	}
	c.cells[side], c.rolls[side] = map[place]*verdict.Cell{}, map[string]string{}
	for _, stage := range c.Sides[side].Stages {
		for _, row := range stage.Rows {
			for i := range row.Cells {
				cell := &row.Cells[i]
				if cell.Mark == verdict.NotAsked {
					continue
				}
				gap := c.rolls[side][cell.Check]
				if cell.Declared && !decided(cell) {
					gap = cmp.Or(cell.Gap, cell.Because)
				}
				c.rolls[side][cell.Check] = gap
				point, known := at[cell.Point]
				switch {
				case !known: // the stack as a whole
					c.cells[side][place{cell.Check, cell.Point}] = cell
				case point.Matched():
					c.cells[side][place{cell.Check, point.Name()}] = cell
				default:
					point.Cells++
				}
			}
		}
	}
}

// checks compares every check at every place.
func (c *Comparison) checks() {
	everywhere := map[place]bool{}
	for _, side := range c.cells {
		for at := range side {
			everywhere[at] = true
		}
	}
	for _, at := range c.sorted(everywhere) {
		one := c.check(at, [2]*verdict.Cell{c.cells[0][at], c.cells[1][at]})
		if one.Change == Alike {
			c.Alike[one.Cells[1].Mark]++
			continue
		}
		c.Checks = append(c.Checks, one)
	}
}

// sorted puts places in the order of the stages, and then of the points.
func (c *Comparison) sorted(everywhere map[place]bool) []place {
	column := map[string]int{}
	for i, p := range c.Points {
		column[p.Name()] = i + 1
	}
	stage := func(at place) logbook.Stage {
		if cell := c.cells[1][at]; cell != nil {
			return cell.Card.Stage
		}
		return c.cells[0][at].Card.Stage
	}
	return slices.SortedFunc(maps.Keys(everywhere), func(a, b place) int {
		return cmp.Or(
			cmp.Compare(stage(a).Order(), stage(b).Order()), cmp.Compare(a.check, b.check),
			cmp.Compare(column[a.point], column[b.point]), cmp.Compare(a.point, b.point),
		)
	})
}

func (c *Comparison) check(at place, cells [2]*verdict.Cell) Check {
	one := Check{Point: at.point, Cells: cells}
	if cells[1] != nil {
		one.Card = cells[1].Card
	} else {
		one.Card = cells[0].Card
	}
	if cells[0] == nil || cells[1] == nil {
		one.Change = Apart
		one.Why, one.Weight = c.apart(at, cells)
		return one
	}
	first, second := cells[0], cells[1]
	switch {
	case !decided(first) && !decided(second):
		one.Change = Undecided
		if needed(first) || needed(second) {
			one.Weight = Unknown
		}
	case !decided(first) && fails(second):
		one.Change, one.Weight = Found, Unknown
	case !decided(first):
		one.Change, one.Weight = Undecided, undecided(first)
	case !decided(second) && fails(first): // a finding does not end by being out of sight, whoever declares it
		one.Change, one.Weight = Undecided, Unknown
	case !decided(second):
		one.Change, one.Weight = Undecided, undecided(second)
	case !fails(first) && fails(second):
		one.Change, one.Weight = New, Drifted
	case fails(first) && !fails(second):
		one.Change, one.Weight = Ended, Drifted
	case fails(first):
		one.Cases = c.cases(first.Observation, second.Observation)
		switch {
		case len(one.Cases[0])+len(one.Cases[1]) > 0:
			one.Change, one.Weight = Cases, Drifted
		case first.Mark != second.Mark:
			one.Change, one.Weight = Waiver, Drifted
		default:
			one.Change = Alike
		}
	case first.Mark == second.Mark:
		one.Change = Alike
	default:
		one.Change, one.Weight = Applies, Drifted
	}
	return one
}

func fails(cell *verdict.Cell) bool { return cell.Mark == verdict.Fail || cell.Mark == verdict.Waived }

func decided(cell *verdict.Cell) bool {
	return fails(cell) || cell.Mark == verdict.Pass || cell.Mark == verdict.NotApplicable
}

// needed says that the ride's own verdict needs the cell.
func needed(cell *verdict.Cell) bool { return !decided(cell) && cell.Required && !cell.Declared }

// undecided weighs what one ride decided and the other did not: it is not the same, unless the plan declares the gap,
// or the profile or the pinned catalogue of that ride let nothing depend on the check.
func undecided(cell *verdict.Cell) Weight {
	if cell.Declared || cell.Card.Shown || cell.Card.NotScored {
		return Noted
	}
	return Unknown
}

// apart says why a check was on one roll alone, and whether that keeps the rides from being the same. A check of another
// catalogue, and one for which a profile does not ask, are not comparable: they are neither new nor ended.
func (c *Comparison) apart(at place, cells [2]*verdict.Cell) (string, Weight) {
	without, has := 0, cells[1]
	if has == nil {
		without, has = 1, cells[0]
	}
	head, other := &c.Sides[without].Head, &c.Sides[1-without].Head
	gap, elsewhere := c.rolls[without][at.check]
	label := c.Labels[without]
	switch {
	case slices.Contains(head.Unasked, at.check):
		return fmt.Sprintf("the profile of %s does not ask for it", label), Noted
	case len(head.Only) > 0:
		return label + " was a partial ride", Noted
	case !elsewhere && head.Catalogue != other.Catalogue && has.Card.Since > head.Catalogue && head.Catalogue != "":
		return fmt.Sprintf("it came with catalogue %s, and %s has %s", has.Card.Since, label, head.Catalogue), Noted
	case !elsewhere && head.Catalogue != other.Catalogue:
		return fmt.Sprintf("the catalogue of %s (%s) does not know it", label, cmp.Or(head.Catalogue, "without a version")), Noted
	case !elsewhere && head.Tool != other.Tool: // each check that a program knows is on the roll, or asked for by no profile
		return fmt.Sprintf("the program of %s (%s) does not know it", label, cmp.Or(head.Tool, "without a version")), Noted
	case gap != "" && !fails(has):
		return fmt.Sprintf("not tested in %s: %s", label, gap), Noted
	case gap != "": // a finding does not end by being out of sight
		return fmt.Sprintf("not tested in %s: %s", label, gap), Unknown
	case !decided(has):
		return fmt.Sprintf("it was not due in %s", label), Noted
	}
	return fmt.Sprintf("it was not due in %s", label), Unknown
}

// changing are parts of the names of cases that differ between rides without a difference: nodes and keys.
var changing = regexp.MustCompile(` at node \S+| \(kid [^)]*\)`)

// plain is the name of a case or a bound as both rides call it.
func plain(name string, as map[string]string) string {
	return rename(changing.ReplaceAllString(name, ""), as)
}

// cases gives the failing cases that one of two failures has alone. Of a case that was tried at several nodes, one
// failure is enough.
func (c *Comparison) cases(first, second *logbook.Observation) [2][]string {
	failing := func(o *logbook.Observation, as map[string]string) map[string]bool {
		all := map[string]bool{}
		for _, one := range o.Cases {
			if one.Outcome == logbook.Fail {
				all[plain(one.Name, as)] = true
			}
		}
		return all
	}
	a, b := failing(first, c.renamed), failing(second, nil)
	if len(a) == 0 || len(b) == 0 { // one of them failed as a whole: nothing says which case it was
		return [2][]string{}
	}
	return [2][]string{without(a, b), without(b, a)}
}

// without gives what only the first set has, sorted.
func without(a, b map[string]bool) []string {
	var all []string
	for _, one := range slices.Sorted(maps.Keys(a)) {
		if !b[one] {
			all = append(all, one)
		}
	}
	return all
}

// findings groups what is new, found or ended by its cause.
func (c *Comparison) findings() {
	for _, g := range []struct {
		change Change
		side   int
	}{{New, 1}, {Found, 1}, {Ended, 0}} {
		type key struct {
			number int
			check  string // of what is waived, and so is no finding
		}
		groups := map[key]*Finding{}
		var order []key
		for _, one := range c.Checks {
			if one.Change != g.change {
				continue
			}
			cell := one.Cells[g.side]
			k := key{number: cell.Finding}
			if cell.Finding == 0 {
				k.check = cell.Check
			}
			if groups[k] == nil {
				groups[k] = &Finding{Change: g.change}
				order = append(order, k)
			}
			groups[k].Checks = append(groups[k].Checks, one)
		}
		slices.SortStableFunc(order, func(a, b key) int { // as the ride's own report: the worst first; then what is waived
			return cmp.Or(cmp.Compare(min(a.number, 1), min(b.number, 1))*-1, cmp.Compare(a.number, b.number))
		})
		for _, k := range order {
			f := groups[k]
			c.tell(f, k.number, g.side)
			c.Findings = append(c.Findings, *f)
		}
	}
}

// tell says what a group of failures is about: its cause if that is in the group, else the first of its checks.
func (c *Comparison) tell(f *Finding, number, side int) {
	var cause *verdict.Finding
	if number > 0 {
		cause = &c.Sides[side].Findings[number-1]
		f.Blocking = cause.Blocking
	}
	f.ID = f.Checks[0].Card.ID
	if cause != nil && slices.ContainsFunc(f.Checks, func(one Check) bool { return one.Card.ID == cause.ID }) {
		f.ID = cause.ID
	}
	var card logbook.Card
	for _, one := range f.Checks {
		cell := one.Cells[side]
		f.Severity = max(f.Severity, cell.Card.Severity)
		f.Waived = f.Waived || cell.Mark == verdict.Waived
		if cell.Check == f.ID {
			card = cell.Card
			f.Points = append(f.Points, one.Point)
		} else if !slices.Contains(f.Also, cell.Check) {
			f.Also = append(f.Also, cell.Check)
		}
	}
	if cause != nil && f.ID == cause.ID && len(f.Points) == len(cause.Points) {
		f.Headline = cause.Headline
		return
	}
	f.Headline = verdict.Broken(&card, f.Points)
}
