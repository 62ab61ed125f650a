package verdict

import (
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
)

// follow gives a failing cell the cause that its card names, where that check fails at the very places where this one
// went wrong, and in a way that explains it. A cause that the check itself named stays.
func follow(cells []Cell) {
	slices.SortFunc(cells, func(a, b Cell) int { // the first that explains is the cause, whatever the book's order
		return strings.Compare(a.Check+" "+a.Point, b.Check+" "+b.Point)
	})
	for i := range cells {
		c := &cells[i]
		if c.Mark != Fail || c.Cause != "" || c.Observation == nil {
			continue
		}
		for _, pattern := range c.Card.Follows {
			if cause := explains(cells, c, pattern); cause != "" {
				c.Cause = cause
				break
			}
		}
	}
}

// explains gives the first check of a pattern whose failures cover every place where the cell went wrong.
func explains(cells []Cell, c *Cell, pattern string) string {
	cause := ""
	promise := c.Observation.Breach.Words()
	for _, at := range blamed(c) {
		i := slices.IndexFunc(cells, func(other Cell) bool {
			if other.Mark != Fail || other.Check == c.Check || !fitsPattern(other.Check, pattern) {
				return false
			}
			told := other.Observation.Breach.Words()
			if told != "" && told != promise { // the promise that others follow was not broken
				return false
			}
			return slices.Contains(blamedFor(&other, told), at) && lastsAsLong(other.Observation, c.Observation)
		})
		if i < 0 {
			return ""
		}
		if cause == "" {
			cause = cells[i].Check
		}
	}
	return cause
}

func fitsPattern(id, pattern string) bool {
	stage, all := strings.CutSuffix(pattern, "*")
	return id == pattern || all && strings.HasPrefix(id, stage)
}

// blamed gives the points at which a cell went wrong: those that its failing cases name, else its own.
func blamed(c *Cell) []string {
	return placesOf(c, func(*logbook.Case) bool { return true })
}

// blamedFor gives those at which one of its promises was broken, by the words of the breach; none: that of the card.
func blamedFor(c *Cell, breach string) []string {
	return placesOf(c, func(one *logbook.Case) bool { return one.Besides == breach })
}

func placesOf(c *Cell, belongs func(*logbook.Case) bool) []string {
	var points []string
	for i := range c.Observation.Cases {
		one := &c.Observation.Cases[i]
		if one.Outcome != logbook.Fail || !belongs(one) {
			continue
		}
		if len(one.Points) == 0 {
			points = append(points, c.Point)
		}
		points = append(points, one.Points...)
	}
	if len(points) == 0 {
		return []string{c.Point}
	}
	slices.Sort(points)
	return slices.Compact(points)
}

// lastsAsLong says whether what was measured at the cause explains what was measured here: a cache of 15 s does not explain a
// token that never dies, and a token that lived until it expired, or until nobody watched any more, not one that something
// ended sooner.
func lastsAsLong(cause, here *logbook.Observation) bool {
	longest := func(o *logbook.Observation) (logbook.Bound, bool) {
		if o == nil {
			return logbook.Bound{}, false
		}
		return WorstBound(o)
	}
	there, measured := longest(cause)
	own, mine := longest(here)
	switch {
	case !measured || !mine:
		return true
	case there.Never || there.Expired:
		return own.Never || own.Expired || own.High >= there.Low
	}
	return !own.Never && own.Low <= there.High
}
