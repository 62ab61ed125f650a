// Package report writes what a ride showed, in a format for each reader. Start with [Terminal] and [HTML].
//
// Every format is made from the logbook alone, does no I/O but to the writer that it is given and never asks the clock:
// the same book gives the same bytes tomorrow. Findings, their ids and all counts come from [verdict.Of], so the formats
// agree. Partner names, headers and log lines are written by strangers: they are shown with control signs and signs of
// writing direction as visible escapes.
package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/checkride/checkride/internal/verdict"
)

// Options say what the writer cannot be asked.
type Options struct {
	Width   int        // columns of the terminal; 0: 100
	Color   bool       // use ANSI colours
	Brief   bool       // the verdict, two lines for each finding and the counts: what progress in plain lines has not said
	Rows    func() int // lines of the terminal now, since people resize windows; nil, or 0 from it: unknown
	Report  string     // path of the HTML report, to be named at the end; may be empty
	Logbook string     // path of the logbook, to be named at the end; may be empty
}

func (o Options) width() int {
	if o.Width <= 0 {
		return 100
	}
	return max(o.Width, 40)
}

// sums counts each point's marks over all stages.
func sums(v *verdict.Verdict) []verdict.Tally {
	totals := make([]verdict.Tally, len(v.Points))
	for _, stage := range v.Stages {
		for i, t := range stage.Points {
			for m := range t {
				totals[i][m] += t[m]
			}
		}
	}
	return totals
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
