package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// watching is all watches of one check at one point: what is shown of them is the worst.
type watching struct {
	check, point, what string
	limit              time.Duration
	open               int           // watches without an answer
	since              time.Duration // t0 of the first that is open
	accepted           bool          // the last probe of an open one was let through
	probed             bool          // any of the open ones was tried
	refused            time.Duration // the latest refusal
	lasting            bool          // one ended without a refusal
	lasted             time.Duration // how long that was watched
}

// probe is the last tick of a watch.
type probe struct{ accepted, unknown bool }

// groups sums up the watches, those still accepted and beyond their limit first, then the other open ones, then what was
// refused too late. What was refused in time is only counted.
func (p *progress) groups() (shown []watching, quiet int) {
	var all []watching
	for _, w := range p.watches {
		i := slices.IndexFunc(all, func(g watching) bool { return g.check == w.Check && g.point == w.Point && g.what == w.What })
		if i < 0 {
			all = append(all, watching{check: w.Check, point: w.Point, what: w.What, limit: w.Limit})
			i = len(all) - 1
		}
		p.join(&all[i], w)
	}
	for _, g := range all {
		if g.open == 0 && !g.late(p.now) {
			quiet++
			continue
		}
		shown = append(shown, g)
	}
	slices.SortStableFunc(shown, func(a, b watching) int {
		return cmp.Or(cmp.Compare(a.rank(p.now), b.rank(p.now)), cmp.Compare(a.what, b.what))
	})
	return shown, quiet
}

func (p *progress) join(g *watching, w *logbook.Watch) {
	switch {
	case w.Refused > 0:
		g.refused = max(g.refused, w.Refused)
	case w.Over:
		g.lasting, g.lasted = true, max(g.lasted, w.Until-w.Since)
	default:
		if g.open == 0 || w.Since < g.since {
			g.since = w.Since
		}
		g.open++
		last, tried := p.probes[trackKey{w.Check, w.Point, w.Name}]
		if !tried {
			last, tried = p.probes[trackKey{w.Check, "", w.Name}]
		}
		g.probed = g.probed || tried
		g.accepted = g.accepted || tried && last.accepted
	}
}

// late says that trust outlived its limit.
func (g *watching) late(now time.Duration) bool {
	switch {
	case g.limit == 0:
		return false
	case g.lasting, g.refused > g.limit:
		return true
	}
	return g.open > 0 && g.accepted && now-g.since > g.limit
}

func (g *watching) rank(now time.Duration) int {
	switch {
	case g.open > 0 && g.late(now):
		return 0
	case g.open > 0 && g.accepted:
		return 1
	case g.late(now):
		return 2
	}
	return 3
}

// say tells how the worst watch of a group stands, and against which limit.
func (g *watching) say(now time.Duration) (state, limit string) {
	limit = "limit " + verdict.Time(g.limit)
	since := max(now-g.since, 0).Truncate(frameEvery)
	switch {
	case g.lasting:
		state = "still accepted after " + verdict.Time(g.lasted)
	case g.open > 0 && g.accepted:
		state = fmt.Sprintf("accepted, %s so far", verdict.Time(since))
		if g.late(now) {
			limit += ", over by " + verdict.Time(since-g.limit)
		}
	case g.open > 0 && g.probed:
		state = fmt.Sprintf("refused, watched for %s", verdict.Time(since))
	case g.open > 0:
		state = fmt.Sprintf("to be tried, %s so far", verdict.Time(since))
	default:
		state = "refused after " + verdict.Time(g.refused)
		if g.late(now) {
			limit += ", over by " + verdict.Time(g.refused-g.limit)
		}
	}
	if g.limit == 0 {
		limit = ""
	}
	return state, limit
}
