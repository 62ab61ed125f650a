package verdict

import (
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

// ended is when the ride ended, or how far the book goes.
func (v *Verdict) ended() time.Duration {
	if v.End != nil {
		return v.End.Took
	}
	return v.Last
}
