package verdict

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

func (b *book) judge() Verdict {
	v := Verdict{Head: b.head, End: b.end, Cut: b.cut, Notes: b.notes, Removals: b.removals, What: b.what, Last: b.last, Parked: b.parked, Attached: b.attached}
	if v.Head.Blocks == 0 {
		v.Head.Blocks = logbook.High // the plan's default
	}
	cells := b.cells()
	v.Points = columns(b.head.Points, cells)
	sortCells(cells, v.Points)
	v.Findings = findings(cells, v.Head.Blocks, b.what)
	for _, f := range v.Findings {
		if f.Blocking {
			v.Blocking++
		}
		if f.Apart() == "not scored" {
			v.Apart++
		}
	}
	number(cells, v.Findings)
	v.Unsure = groups(cells, func(c *Cell) bool {
		return c.Mark == Inconclusive || c.Mark == Error || c.Mark == Missing || c.Mark == LeftOut && c.counts()
	})
	v.Untested = groups(cells, func(c *Cell) bool { return c.Mark == LeftOut && !c.Declared && !c.counts() })
	v.Absent = groups(cells, func(c *Cell) bool { return c.Mark == NotApplicable })
	v.Required = undecidedChecks(cells)
	v.Gaps = b.gaps(cells)
	v.Waivers = b.waivers(cells)
	for _, x := range b.head.Scope {
		if !b.head.Started.Before(x.Expires) {
			v.Expired = append(v.Expired, x)
		}
	}
	v.Stages = stages(cells, v.Points, v.Findings)
	for _, s := range v.Stages {
		for _, row := range s.Rows {
			v.Checks[row.Mark]++
		}
	}
	for _, c := range cells {
		v.Cells[c.Mark]++
	}
	v.Odd = odd(v.Stages, v.Points)
	v.Promises = promises(&v.Head, cells)
	v.Word = v.word()
	v.Sentence = v.sentence()
	v.Line = v.line()
	return v
}

// word applies the rules in their order: what is broken is known to be broken, whatever else is not known.
func (v *Verdict) word() Word {
	switch {
	case v.Blocking > 0:
		return NotReady
	case v.Cut != "", v.End != nil && v.End.Interrupted != "", v.Required > 0, v.Cells[Pass] == 0:
		return CannotTell // a ride in which nothing passed has not shown anything
	}
	return Ready
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

// findings gives one finding for each cause. A failure that names a failing check as its cause is folded under it; if
// the cause does not fail, or is waived, the failure stands for itself: no waiver covers more than it names.
func findings(cells []Cell, blocks logbook.Severity, what map[string]string) []Finding {
	byCheck := map[string]*Finding{}
	of := func(card logbook.Card) *Finding {
		f := byCheck[card.ID]
		if f == nil {
			f = &Finding{ID: card.ID, Card: card}
			byCheck[card.ID] = f
		}
		return f
	}
	root := rootOf(cells)
	cards := map[string]logbook.Card{}
	for _, c := range cells {
		cards[c.Check] = c.Card
	}
	for i := range cells {
		c := &cells[i]
		if c.Mark != Fail {
			continue
		}
		cause := root(c)
		f := of(cards[cause])
		if cause == c.Check {
			f.Seen = append(f.Seen, *c)
			f.Points = append(f.Points, c.Point)
		} else {
			f.Also = append(f.Also, *c)
		}
		f.Severity = max(f.Severity, c.severity())
		f.Blocking = f.Blocking || c.scored() && c.severity() >= blocks
	}
	for i := range cells {
		if f := byCheck[cells[i].Check]; f != nil && cells[i].Mark != Fail && cells[i].Mark != LeftOut {
			f.Elsewhere = append(f.Elsewhere, cells[i])
		}
	}
	var all []Finding
	for _, f := range byCheck {
		f.tellBreach()
		f.Headline = headline(f, what[f.ID])
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(blocksFirst(a, b), cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.measured(), a.measured()), byStage(&a.Card, &b.Card))
	})
	for i := range all {
		all[i].Number = i + 1
	}
	return all
}

func blocksFirst(a, b Finding) int {
	switch {
	case a.Blocking == b.Blocking:
		return 0
	case a.Blocking:
		return -1
	}
	return 1
}

// measured is 1 if a time says how bad it is: of two equally severe findings it is the more telling one.
func (f *Finding) measured() int { return min(len(overdue(f.Seen)), 1) }

// severity is the card's, and critical if the card is lost: what cannot be weighed is not made light of. What is broken
// beside the card's promise weighs no more than it says.
func (c *Cell) severity() logbook.Severity {
	weight := c.Card.Severity
	if weight == 0 {
		weight = logbook.Critical
	}
	if o := c.Observation; o != nil && o.Breach != nil && o.Breach.Severity > 0 {
		weight = min(weight, o.Breach.Severity)
	}
	return weight
}

// tellBreach lets the finding's card say what was really broken, where that is nowhere the promise of its title.
func (f *Finding) tellBreach() {
	var gravest *logbook.Breach
	for _, c := range f.Seen {
		breach := c.Observation.Breach
		if breach == nil {
			return
		}
		if gravest == nil || breach.Severity > gravest.Severity {
			gravest = breach
		}
	}
	if gravest != nil {
		f.Card.Broken, f.Card.Why, f.Card.Fix = gravest.Broken, gravest.Why, gravest.Fix
	}
}

// rootOf gives a function from a failing cell to the check that its finding is about. Only a check that has a failure of
// its own, without a cause that fails, can be a root, so a circle of causes folds nothing.
func rootOf(cells []Cell) func(*Cell) string {
	failing := map[string]bool{}
	for _, c := range cells {
		failing[c.Check] = failing[c.Check] || c.Mark == Fail
	}
	folds := func(c *Cell) bool { return failing[c.Cause] && c.Cause != c.Check }
	alone := map[string]bool{}
	cause := map[string]string{} // of a failing check that is not alone
	for i := range cells {
		c := &cells[i]
		switch {
		case c.Mark != Fail:
		case !folds(c):
			alone[c.Check] = true
		case cause[c.Check] == "":
			cause[c.Check] = c.Cause
		}
	}
	return func(c *Cell) string {
		if !folds(c) {
			return c.Check
		}
		at := c.Cause
		for range cells {
			if alone[at] {
				return at
			}
			at = cause[at]
		}
		return c.Check // a circle
	}
}

// number tells each cell which finding it belongs to or waits for, and each finding what waits for it.
func number(cells []Cell, all []Finding) {
	own := map[place]int{}
	root := map[string]int{}
	for _, f := range all {
		root[f.ID] = f.Number
		for _, c := range slices.Concat(f.Seen, f.Also) {
			own[place{c.Check, c.Point}] = f.Number
		}
	}
	folded := map[string]int{}
	for _, f := range all {
		for _, c := range f.Also {
			if folded[c.Check] == 0 {
				folded[c.Check] = f.Number
			}
		}
	}
	for i := range cells {
		c := &cells[i]
		switch {
		case c.Mark == Fail:
			c.Finding = own[place{c.Check, c.Point}]
		case c.Cause != "" && c.undecided():
			c.Finding = cmp.Or(root[c.Cause], folded[c.Cause])
			if c.Finding > 0 {
				all[c.Finding-1].Waiting = append(all[c.Finding-1].Waiting, *c)
			}
		}
	}
}

func groups(cells []Cell, belongs func(*Cell) bool) []Group {
	var all []Group
	for i := range cells {
		c := &cells[i]
		if !belongs(c) {
			continue
		}
		same := slices.IndexFunc(all, func(g Group) bool {
			return g.Check == c.Check && g.Mark == c.Mark && g.Because == c.Because && g.Cause == c.Cause && g.Required == c.counts() && g.Declared == c.Declared
		})
		if same < 0 {
			all = append(all, Group{Check: c.Check, Card: c.Card, Mark: c.Mark, Because: c.Because, Cause: c.Cause, Finding: c.Finding, Required: c.counts(), Declared: c.Declared})
			same = len(all) - 1
		}
		all[same].Points = append(all[same].Points, c.Point)
		all[same].Cells = append(all[same].Cells, *c)
	}
	return all
}

func undecidedChecks(cells []Cell) int {
	ids := map[string]bool{}
	for i := range cells {
		if cells[i].counts() {
			ids[cells[i].Check] = true
		}
	}
	return len(ids)
}

// gaps names what the plan declares as out of scope and what for that reason has no result.
func (b *book) gaps(cells []Cell) []Gap {
	var all []Gap
	for i := range cells {
		c := &cells[i]
		if !c.Declared || !c.undecided() {
			continue
		}
		gap := b.gap(c)
		same := slices.IndexFunc(all, func(g Gap) bool { return g.Name == gap.Name })
		if same < 0 {
			all = append(all, gap)
			same = len(all) - 1
		}
		if !slices.Contains(all[same].Checks, c.Check) {
			all[same].Checks = append(all[same].Checks, c.Check)
		}
		if !slices.Contains(all[same].Points, c.Point) {
			all[same].Points = append(all[same].Points, c.Point)
		}
	}
	return all
}

func (b *book) gap(c *Cell) Gap {
	gap := Gap{Name: c.Gap, Reason: c.Because}
	x := live(b.head.Scope, place{c.Check, c.Point}, b.head.Started)
	if x != nil {
		gap.Reason, gap.Owner, gap.Until = x.Reason, x.Owner, x.Expires
		if gap.Name == "" {
			gap.Name = strings.TrimSuffix(x.Check, ".*")
			if x.Point != "" {
				gap.Name += " at " + x.Point
			}
			if x.Reason != "" {
				gap.Name += " (" + x.Reason + ")"
			}
		}
	}
	if gap.Name == "" {
		gap.Name = string(c.Card.Stage)
	}
	return gap
}

func (b *book) waivers(cells []Cell) []Waiver {
	var all []Waiver
	for _, x := range b.head.Waivers {
		w := Waiver{Exclusion: x}
		expired := !b.head.Started.Before(x.Expires)
		asked, passes := false, false
		for _, c := range cells {
			if !matches(&x, place{c.Check, c.Point}) {
				continue
			}
			asked = true
			passes = passes || c.Mark == Pass
			if c.Mark == Waived && !expired || c.Mark == Fail && expired {
				w.Cells = append(w.Cells, c)
			}
		}
		switch {
		case expired:
			w.State = "expired"
		case len(w.Cells) > 0:
			w.State = "used"
		case passes:
			w.State = "not needed: passes"
		case asked:
			w.State = "not needed: no failure"
		case len(b.head.Only) > 0:
			w.State = "not in this ride"
		default:
			w.State = "stale: matches nothing"
		}
		all = append(all, w)
	}
	return all
}

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

func promises(head *logbook.Head, cells []Cell) []Promise {
	byKey := map[string]*Promise{}
	of := func(key string) *Promise {
		p := byKey[key]
		if p == nil {
			p = &Promise{Key: key, Value: head.Limits[key], Line: head.Lines[key]}
			byKey[key] = p
		}
		return p
	}
	for key := range head.Limits {
		of(key)
	}
	for _, c := range cells {
		keys := map[string]bool{c.Promise: true}
		if c.Observation != nil {
			for _, bound := range c.Observation.Bounds {
				keys[bound.Limited] = true
			}
		}
		delete(keys, "")
		for key := range keys {
			p := of(key)
			p.Mark = max(p.Mark, c.Mark)
			if !slices.Contains(p.Checks, c.Check) {
				p.Checks = append(p.Checks, c.Check)
			}
			if c.Mark == Fail && !slices.Contains(p.Broken, c.Point) {
				p.Broken = append(p.Broken, c.Point)
			}
		}
	}
	var all []Promise
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		all = append(all, *byKey[key])
	}
	return all
}

// ended is when the ride ended, or how far the book goes.
func (v *Verdict) ended() time.Duration {
	if v.End != nil {
		return v.End.Took
	}
	return v.Last
}
