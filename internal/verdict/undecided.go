package verdict

import (
	"slices"
	"strings"
)

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
