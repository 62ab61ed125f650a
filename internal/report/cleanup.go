package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// cleanup sums up what the ride made in the stack and what became of it.
func cleanup(v *verdict.Verdict) (text string, clean bool) {
	var made []string
	if v.End != nil {
		for _, kind := range sortedKeys(v.End.Created) {
			n := v.End.Created[kind]
			if n > 0 {
				made = append(made, verdict.Count(n, strings.TrimSuffix(kind, "s")))
			}
		}
	}
	left, alive := leftBehind(v)
	var untried []string
	for _, r := range v.Removals {
		if r.Gone && !r.Tried {
			untried = append(untried, strings.TrimSpace(r.Kind+" "+r.Name))
		}
	}
	text = "nothing was created"
	if len(made) > 0 {
		text = verdict.List(made, len(made)) + " created"
	} else if len(v.Removals) > 0 {
		text = verdict.Count(len(v.Removals), "thing") + " created"
	}
	for _, a := range alive {
		text += "; " + a
	}
	switch {
	case len(left) > 0:
		text += "; LEFT BEHIND: " + verdict.List(left, 8)
		if v.End != nil && v.End.LeftCommand != "" {
			text += "; remove it with " + v.End.LeftCommand
		}
	case v.Waits():
		return text + "; the ride is parked and has sent nothing", true
	case v.End == nil:
		text += "; the book ends before the cleanup does: run checkride cleanup"
		return text, false
	case len(untried) > 0:
		text += "; removed, but not proven by use: " + verdict.List(untried, 5)
	case len(alive) > 0:
		text += "; all else was removed"
	case len(v.Removals) > 0 || len(made) > 0:
		text += "; " + proven(v)
	}
	return text, len(left) == 0 && len(alive) == 0
}

// leftBehind names what the ride created and could not remove. Apart from these stand tokens that no cleanup can take back, for they die by expiry
// alone: if a finding says so, the sentence points to it.
func leftBehind(v *verdict.Verdict) (left, alive []string) {
	for _, entry := range remaining(v) {
		sentence, tokens := outliving(v, entry)
		if tokens {
			alive = append(alive, sentence)
		} else {
			left = append(left, entry)
		}
	}
	return left, alive
}

// remaining is all that the ride created and that still works, or may: what the end of the book lists, and each removal
// that failed unless the end names it.
func remaining(v *verdict.Verdict) []string {
	all := []string{}
	if v.End != nil {
		all = append(all, v.End.Left...)
	}
	for _, r := range v.Removals {
		entry := strings.TrimSpace(r.Kind + " " + r.Name)
		named := func(known string) bool { return r.Name != "" && strings.Contains(known, r.Name) }
		if !r.Gone && !slices.ContainsFunc(all, named) {
			all = append(all, entry)
		}
	}
	return all
}

// outliving turns "tokens (4 of 241) that open gateway until they expire" into a sentence.
func outliving(v *verdict.Verdict, entry string) (string, bool) {
	rest, tokens := strings.CutPrefix(entry, "tokens (")
	count, rest, counted := strings.Cut(rest, ") that open ")
	where, dies := strings.CutSuffix(rest, " until they expire")
	if !tokens || !counted || !dies {
		return "", false
	}
	sentence := fmt.Sprintf("%s tokens still open %s until they expire", count, where)
	for _, stage := range []logbook.Stage{logbook.Offboard, logbook.Revoke} { // their clients are gone, which says more
		for i := range v.Findings {
			f := &v.Findings[i]
			if slices.ContainsFunc(slices.Concat(f.Seen, f.Also), func(c verdict.Cell) bool { return c.Card.Stage == stage && outlives(&c, where) }) {
				return sentence + fmt.Sprintf(", as finding %d says", f.Number), true
			}
		}
	}
	return sentence, true
}

// outlives says that a failing cell is about one of the places.
func outlives(c *verdict.Cell, where string) bool {
	return slices.ContainsFunc(strings.Split(where, ", "), func(place string) bool {
		return c.Point == place || slices.ContainsFunc(c.Observation.Cases, func(x logbook.Case) bool {
			return x.Outcome == logbook.Fail && slices.Contains(x.Points, place)
		})
	})
}

// proven says what was tried after its removal: a kind of which the book records no removal is not called gone.
func proven(v *verdict.Verdict) string {
	tried := map[string]bool{}
	for _, r := range v.Removals {
		tried[strings.TrimSuffix(r.Kind, "s")] = true
	}
	var untried []string
	for _, kind := range sortedKeys(v.End.Created) {
		if v.End.Created[kind] > 0 && !tried[strings.TrimSuffix(kind, "s")] {
			untried = append(untried, kind)
		}
	}
	switch {
	case len(untried) == 0:
		return "none works any more, each was tried"
	case len(v.Removals) == 0:
		return "the book records no removal"
	}
	return "what was removed was tried and works no more; the book records no removal of " + verdict.List(untried, 5)
}
