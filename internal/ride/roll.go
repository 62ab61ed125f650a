package ride

import (
	"fmt"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/profile"
)

// line is one line of the roll: a check at a place.
type line struct {
	check *check.Check
	name  string
	point *plan.Point
	due   *logbook.Due
	card  *logbook.Card
	run   bool
	na    string // not applicable, for this reason
}

// roll lists each check at each place where it is due, with the reason if it is left out.
func (r *run) roll() []*line {
	var lines []*line
	for _, c := range r.cfg.Catalogue {
		if !wanted(c, r.cfg.Only) {
			continue
		}
		if len(r.cfg.Only) == 0 && r.cfg.Plan.Profiles().Judge(c.ID, c.Severity).Place == profile.LeftOut { // what is asked for by name is ridden
			r.unasked = append(r.unasked, c.ID)
			continue
		}
		for _, at := range r.places(c) {
			if len(r.cfg.At) > 0 && !slices.Contains(r.cfg.At, at.name) {
				continue
			}
			at.check, at.card = c, r.card(c)
			at.due = r.due(c, at)
			lines = append(lines, at)
		}
	}
	return lines
}

func wanted(c *check.Check, patterns []string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, c.Matches)
}

func (r *run) places(c *check.Check) []*line {
	p := r.cfg.Plan
	switch c.At {
	case check.HomeServer:
		return []*line{{name: r.cast.HomeServer()}}
	case check.WholeStack:
		return []*line{{name: check.Column}}
	case check.EverySource:
		return r.sources()
	}
	var lines []*line
	for i := range p.Points {
		lines = append(lines, &line{name: p.Points[i].Name, point: &p.Points[i]})
	}
	if c.At == check.EveryDoor {
		lines = append(lines, &line{name: r.cast.HomeServer()})
	}
	return lines
}

func (r *run) sources() []*line {
	p := r.cfg.Plan
	if p.Audit.None || len(p.Audit.Sources) == 0 {
		return []*line{{name: check.Column}}
	}
	var names []string
	for _, source := range p.Audit.Sources {
		names = append(names, source.Covers...)
	}
	slices.Sort(names)
	var lines []*line
	for _, name := range slices.Compact(names) {
		at := &line{name: name}
		for i := range p.Points {
			if p.Points[i].Name == name {
				at.point = &p.Points[i]
			}
		}
		lines = append(lines, at)
	}
	return lines
}

// card is what the plan's profile and its pinned catalogue make of a check.
func (r *run) card(c *check.Check) *logbook.Card {
	p := r.cfg.Plan
	card := c.Card()
	judged := p.Profiles().Judge(c.ID, c.Severity)
	if judged.Severity != c.Severity {
		card.Severity, card.Usual = judged.Severity, c.Severity
	}
	card.Shown, card.Placed = judged.Place != profile.Required, judged.Why
	card.NotScored = !profile.Scored(c.ID, p.Catalogue)
	return card
}

func (r *run) due(c *check.Check, at *line) *logbook.Due {
	p := r.cfg.Plan
	due := &logbook.Due{Check: c.ID, Point: at.name, Required: at.card.Severity >= logbook.Severity(p.Blocks) && !at.card.Shown && !at.card.NotScored}
	if c.Promise != nil {
		due.Promise = c.Promise(at.point)
	}
	if excluded, ok := p.Excluded(c.ID, at.name, r.start); ok {
		due.LeftOut, due.Declared = fmt.Sprintf("out of scope: %s (%s, until %s)", excluded.Reason, excluded.Owner, excluded.Expires.Format(time.DateOnly)), true
		due.Gap = fmt.Sprintf("%s (%s)", excluded.Check, excluded.Reason)
		return due
	}
	if c.Harm != check.Harmless && p.Authorization != nil && p.Authorization.Until.Past(r.start) {
		due.LeftOut, due.Gap = fmt.Sprintf("not tested: is of the class %s, and the authorization ended on %s", c.Harm, p.Authorization.Until), string(c.Harm)+" (not authorized)"
		return due
	}
	missing, reason, gap := c.Lacks(p, at.point)
	switch missing {
	case check.Absent:
		at.na, due.Required = reason, false
	case check.Gap:
		due.LeftOut, due.Gap = "not tested: "+reason, gap
	case check.DeclaredGap:
		due.LeftOut, due.Gap, due.Declared = "not tested: "+reason, gap, true
	case check.Present:
		if longest := p.LongestWait.D(); c.Waits != nil && longest > 0 && c.Waits(p.Limits) > longest {
			due.LeftOut, due.Gap, due.Declared = fmt.Sprintf("not tested: would wait %v, longer than longest_wait %v", c.Waits(p.Limits), longest), c.ID+" (too long)", true
			return due
		}
		at.run = true
	}
	return due
}

func foreseen(lines []*line, limits plan.Limits) time.Duration {
	var longest time.Duration
	for _, at := range lines {
		if at.run && at.check.Waits != nil {
			longest = max(longest, at.check.Waits(limits))
		}
	}
	return longest
}
