package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/verdict"
)

type groupPage struct {
	Anchor                   string // of the first group of a check
	Check, Points, Why, Next string
	FindingID                string
	Sign                     sign
	Exchanges                []exchangePage
}

type gapPage struct{ Name, Checks, Why, Until string }

type waiverPage struct {
	Check, Points, State, Why, Until string
	Bad                              bool
}

// untested shows all that has no decision, and why: what could not be told, what the plan declares, what is not there.
func (p *page) untested(v *verdict.Verdict, ev *evidence) {
	p.add(section{ID: "untested", Short: "Not tested", Title: untestedTitle(v), Note: "What was not tested is not green. The verdict is given within the scope that the plan declares.", Count: some(len(v.Unsure) + len(v.Gaps))})
	p.Unsure, p.Untested, p.Absent = newGroups(v, ev, v.Unsure), newGroups(v, ev, v.Untested), newGroups(v, ev, v.Absent)
	for i := range p.Unsure {
		if i == 0 || p.Unsure[i-1].Check != p.Unsure[i].Check {
			p.Unsure[i].Anchor = "nt-" + p.Unsure[i].Check
		}
	}
	p.gaps(v)
	p.waivers(v)
}

func newGroups(v *verdict.Verdict, ev *evidence, groups []verdict.Group) []groupPage {
	var all []groupPage
	for i := range groups {
		g := &groups[i]
		page := groupPage{Check: g.Check, Points: places(g.Points), Why: reason(g), Sign: markSigns[g.Mark], Next: v.Command(g.Check, g.Points)}
		if g.Finding > 0 {
			page.FindingID = fmt.Sprintf("f%d", g.Finding)
			page.Next = fmt.Sprintf("fix finding %d, ride again", g.Finding)
		}
		for j := range g.Cells {
			if o := g.Cells[j].Observation; o != nil {
				page.Exchanges = append(page.Exchanges, exchanges(v, ev, o, ev.told(o, mostOfOpen), "u-"+g.Check+"-"+g.Cells[j].Point+"-")...)
			}
		}
		all = append(all, page)
	}
	return all
}

func (p *page) gaps(v *verdict.Verdict) {
	for _, g := range v.Gaps {
		page := gapPage{Name: g.Name, Checks: strings.Join(g.Checks, ", "), Why: g.Reason}
		if g.Owner != "" {
			page.Why += ". Owner " + g.Owner
		}
		if !g.Until.IsZero() {
			page.Until = "until " + g.Until.UTC().Format(time.DateOnly)
		}
		p.Gaps = append(p.Gaps, page)
	}
	for _, x := range v.Expired {
		p.Gaps = append(p.Gaps, gapPage{Name: x.Check, Why: x.Reason + ". Owner " + x.Owner, Until: "expired " + x.Expires.UTC().Format(time.DateOnly) + ": no longer out of scope"})
	}
}

func (p *page) waivers(v *verdict.Verdict) {
	for _, w := range v.Waivers {
		page := waiverPage{Check: w.Check, Points: waivedAt(&w), State: w.State, Why: w.Reason + ". Owner " + w.Owner, Until: "no date", Bad: w.State != "used"}
		if !w.Expires.IsZero() {
			page.Until = w.Expires.UTC().Format(time.DateOnly)
		}
		if w.State == "used" {
			page.State = "fails, waived"
		}
		for _, c := range w.Cells {
			if c.Observation.Observed != "" {
				page.Why = "Fails: " + c.Observation.Observed + ". " + page.Why
				break
			}
		}
		p.Waivers = append(p.Waivers, page)
	}
}

func untestedTitle(v *verdict.Verdict) string {
	ids := map[string]bool{}
	for _, g := range v.Unsure {
		ids[g.Check] = true
	}
	var parts []string
	if len(ids) > 0 {
		parts = append(parts, fmt.Sprintf("%s could not tell, %s", verdict.Count(len(ids), "check"), required(v.Required, len(ids))))
	}
	if n := len(v.Gaps); n > 0 {
		parts = append(parts, verdict.Count(n, "gap")+" declared by the plan")
	}
	if n := v.Cells[verdict.Waived]; n > 0 {
		parts = append(parts, verdict.Count(n, "failure")+" waived")
	}
	if len(parts) == 0 {
		return "Nothing that was due was left out"
	}
	return strings.Join(parts, "; ")
}
