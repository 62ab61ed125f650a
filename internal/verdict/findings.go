package verdict

import (
	"cmp"
	"slices"

	"github.com/checkride/checkride/internal/logbook"
)

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

// tellBreach lets the finding's card say what was really broken, where that is nowhere the promise of its title. What is
// broken besides, there or at other places, is told apart from it.
func (f *Finding) tellBreach() {
	var gravest *logbook.Breach
	for i, c := range f.Seen {
		breach := c.Observation.Breach
		if i == 0 || gravest != nil && (breach == nil || breach.Severity > gravest.Severity) {
			gravest = breach
		}
	}
	if gravest != nil {
		f.Card.Broken, f.Card.Why, f.Card.Fix = gravest.Broken, gravest.Why, gravest.Fix
	}
	f.Breach = gravest
	var others []string
	for i := range f.Seen {
		for _, words := range breaches(f.Seen[i].Observation) {
			if words != f.Breach.Words() && !slices.Contains(others, words) {
				others = append(others, words)
			}
		}
	}
	for _, words := range others {
		f.Besides = append(f.Besides, words+at(f.where(words)))
	}
}

// breaches gives the words of what is broken in an observation beside its card's promise.
func breaches(o *logbook.Observation) []string {
	var all []string
	if o.Breach != nil {
		all = append(all, o.Breach.Broken)
	}
	for _, one := range o.Cases {
		if one.Outcome == logbook.Fail && one.Besides != "" {
			all = append(all, one.Besides)
		}
	}
	return all
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
