package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/logbook"
)

// A measured time lies between two bounds. Two of them differ for certain only if their intervals do not overlap; by how
// much at least is then the gap between them. What is done about it:
//
//   - a gap of not more than a quarter of the limit is noise, and so is one not longer than the interval between two
//     probes: caches and feeds refresh in periods, and when in a period trust was withdrawn is chance;
//   - a longer gap is told;
//   - a time that became longer by more than half of the limit, and more than doubled, is drift.
//
// The limit is the stricter one of the two rides. Beyond its limit a time is a finding and not only a difference, so what
// is new or ended as a finding is not told again as a time.
const (
	toldFrom = 4 // the limit through this
	driftBy  = 2 // the limit through this, and this times the longest that it may have been
	unjudged = 2 * time.Second
)

// Grown compares two measured times: by how much at least the second is longer (negative: shorter; 0: they may be
// equal), and what that makes of it. Told is false if it is not worth a word.
func Grown(first, second *logbook.Bound) (by time.Duration, told bool, w Weight) {
	low := [2]time.Duration{max(first.Low, 0), max(second.Low, 0)}
	high := [2]time.Duration{longest(first), longest(second)}
	switch {
	case low[1] > high[0]:
		by = low[1] - high[0]
	case low[0] > high[1]:
		by = high[1] - low[0]
	}
	limit := stricter(first.Limit, second.Limit)
	gap := max(by, -by)
	told = gap > limit/toldFrom && gap > max(first.Interval, second.Interval)
	if told && by > limit/driftBy && low[1]/driftBy > high[0] {
		w = Drifted
	}
	return by, told, w
}

// longest is the upper bound; one whose end was not seen has none.
func longest(b *logbook.Bound) time.Duration {
	if b.Never && !b.Expired {
		return math.MaxInt64
	}
	return max(b.High, b.Low, 0)
}

// stricter is the shorter of two limits; a limit of nothing is none.
func stricter(a, b time.Duration) time.Duration {
	switch {
	case a <= 0 && b <= 0:
		return unjudged
	case a <= 0:
		return b
	case b <= 0:
		return a
	}
	return min(a, b)
}

// times compares what both rides measured where both decided alike, and gives of each check at each place the time that
// differs most.
func (c *Comparison) times() {
	for at, first := range c.cells[0] {
		second := c.cells[1][at]
		if second == nil || first.Observation == nil || second.Observation == nil || !decided(first) || !decided(second) || fails(first) != fails(second) {
			continue
		}
		a, b := bounds(first.Observation, c.renamed), bounds(second.Observation, nil)
		var worst *Time
		for _, name := range slices.Sorted(maps.Keys(a)) {
			was, is := a[name], b[name]
			if is == nil {
				continue
			}
			c.Timed++
			by, told, weight := Grown(was, is)
			if told && (worst == nil || cmp.Or(cmp.Compare(weight, worst.Weight), cmp.Compare(max(by, -by), max(worst.By, -worst.By))) > 0) {
				worst = &Time{Check: at.check, Point: at.point, Name: name, Bounds: [2]logbook.Bound{*was, *is}, By: by, Weight: weight}
			}
		}
		if worst != nil {
			c.Times = append(c.Times, *worst)
		}
	}
	slices.SortFunc(c.Times, func(a, b Time) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(b.By, a.By), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Point, b.Point))
	})
}

// bounds gives what was measured by what was watched; of several nodes the slowest.
func bounds(o *logbook.Observation, as map[string]string) map[string]*logbook.Bound {
	all := map[string]*logbook.Bound{}
	for i := range o.Bounds {
		b := &o.Bounds[i]
		name := plain(b.Name, as)
		known := all[name]
		if known == nil || cmp.Or(cmp.Compare(longest(b), longest(known)), cmp.Compare(b.Low, known.Low)) > 0 {
			all[name] = b
		}
	}
	return all
}
