package compare

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/verdict"
)

// line is line one. Its forms:
//
//	SAME: 260 results, 18 limits, 100 measured times and 5 metadata documents
//	DRIFT: 3 new findings, the worst: a revoked token still opens legacy for 6.1 s (limit 2 s); 1 ended; 2 limits differ
//	CANNOT TELL: no drift in what was compared; 2 checks were not decided by both rides, first ...
func (c *Comparison) line() string {
	var parts []string
	say := func(format string, a ...any) { parts = append(parts, fmt.Sprintf(format, a...)) }
	switch c.Word {
	case Same:
		say("%s", c.extent())
	case Drift:
		c.sayDrift(say)
	case CannotTell:
		if c.Alike.Total() == 0 {
			say("the rides decided nothing in common")
		} else {
			say("no drift in what was compared")
		}
	}
	c.sayUnknown(say)
	word := strings.ToUpper(c.Word.String())
	if len(c.Sides[0].Head.Only)+len(c.Sides[1].Head.Only) > 0 {
		word += ", of what partial rides have in common"
	}
	return word + ": " + strings.Join(parts, "; ")
}

// extent says how much is the same.
func (c *Comparison) extent() string {
	var parts []string
	for _, p := range []struct {
		n     int
		thing string
	}{{c.Alike.Total(), "result"}, {c.Limits, "limit"}, {c.Timed, "measured time"}, {c.Compared(), "metadata document"}} {
		if p.n > 0 {
			parts = append(parts, verdict.Count(p.n, p.thing))
		}
	}
	return verdict.List(parts, len(parts))
}

func (c *Comparison) sayDrift(say func(string, ...any)) {
	added, ended := slices.Collect(c.of(New)), slices.Collect(c.of(Ended))
	if n := len(added); n > 0 {
		text := verdict.Count(n, "new finding")
		if !c.Nightly() {
			text = verdict.Count(n, "finding") + " in " + c.Labels[1] + " alone"
		}
		if n > 1 {
			text += ", the worst"
		}
		say("%s: %s", text, added[0].Headline)
	}
	if n := len(ended); n > 0 && c.Nightly() {
		say("%s", verdict.Count(n, "ended finding"))
	} else if n > 0 {
		say("%s in %s alone", verdict.Count(n, "finding"), c.Labels[0])
	}
	changed := map[Change]map[string]bool{}
	for _, one := range c.Checks {
		if changed[one.Change] == nil {
			changed[one.Change] = map[string]bool{}
		}
		changed[one.Change][one.Card.ID] = true
	}
	if n := len(changed[Cases]); n > 0 {
		say("%s in other cases", verb(n, "check", "fails", "fail"))
	}
	if n := len(changed[Waiver]); n > 0 {
		say("%s waived in one ride", verb(n, "failure", "is", "are"))
	}
	if n := len(changed[Applies]); n > 0 {
		say("%s in one ride alone", verb(n, "check", "applies", "apply"))
	}
	if n := drifted(c.Times, func(t Time) Weight { return t.Weight }); n > 0 {
		say("%s", verb(n, "measured time", "is notably longer", "are notably longer"))
	}
	limits := drifted(c.Plans, func(d Difference) Weight {
		if strings.HasPrefix(d.What, "limits.") {
			return d.Weight
		}
		return Noted
	})
	if limits > 0 {
		say("%s", verb(limits, "limit", "differs", "differ"))
	}
	for _, d := range c.Plans {
		if d.Weight == Drifted && !strings.HasPrefix(d.What, "limits.") {
			say("%s: %s, and %s", d.What, orNone(d.Values[0]), orNone(d.Values[1]))
		}
	}
	var places []string
	for _, d := range c.Documents {
		if d.Weight == Drifted && !slices.Contains(places, d.Point) {
			places = append(places, d.Point)
		}
	}
	if len(places) > 0 {
		say("the metadata of %s differs", verdict.List(places, 4))
	}
}

// of gives the findings of one change.
func (c *Comparison) of(change Change) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for _, f := range c.Findings {
			if f.Change == change && !yield(f) {
				return
			}
		}
	}
}

// sayUnknown names what keeps the rides from being called the same, and what was found on one roll alone.
func (c *Comparison) sayUnknown(say func(string, ...any)) {
	for _, n := range c.Notices {
		if n.Weight == Unknown {
			say("%s", n.Text)
		}
	}
	for side := range c.Sides {
		if alone := c.Alone(side); len(alone) > 0 {
			say("%s has no counterpart of %s", c.Labels[1-side], verdict.List(alone, 4))
		}
	}
	if n := len(slices.Collect(c.of(Found))); n > 0 {
		say("%s in %s of which %s could not tell", verdict.Count(n, "finding"), c.Labels[1], c.Labels[0])
	}
	open := map[string]bool{}
	first := ""
	for _, one := range c.Checks {
		if one.Weight != Unknown || one.Change == Found { // which is said as a finding
			continue
		}
		open[one.Card.ID] = true
		if first == "" {
			first = one.Card.ID
			if one.Point != "" {
				first += " at " + one.Point
			}
			if why := c.Reason(&one); why != "" && c.Word == CannotTell {
				first += " (" + why + ")"
			}
		}
	}
	if len(open) > 0 {
		say("%s not decided by both rides, first %s", verb(len(open), "check", "was", "were"), first)
	}
	for _, d := range c.Documents {
		if d.Weight == Unknown {
			say("the metadata of %s was not compared: %s", d.Point, d.Why)
			break
		}
	}
	apart := map[string]bool{}
	for _, one := range c.Checks {
		if one.Change == Apart && one.Weight == Noted {
			apart[one.Card.ID] = true
		}
	}
	if len(apart) > 0 {
		say("not comparable: %s", verdict.Count(len(apart), "check"))
	}
}

// Reason says why a check is undecided or not comparable, and in which ride.
func (c *Comparison) Reason(one *Check) string {
	if one.Change == Apart {
		return one.Why
	}
	var parts []string
	for i, cell := range one.Cells {
		if cell == nil || decided(cell) {
			continue
		}
		text := cell.Mark.String()
		switch {
		case cell.Because != "":
			text += ": " + cell.Because
		case cell.Cause != "":
			text += ": because of " + cell.Cause
		}
		if same := "both " + text; len(parts) == 1 && parts[0] == c.Labels[0]+" "+text {
			return same
		}
		parts = append(parts, c.Labels[i]+" "+text)
	}
	return strings.Join(parts, "; ")
}

// Hint is the mapping that would pair the points without counterpart, where it can only be one; else empty.
func (c *Comparison) Hint() string {
	first, second := c.Alone(0), c.Alone(1)
	if len(first) != 1 || len(second) != 1 {
		return ""
	}
	for _, p := range c.Points {
		for _, q := range c.Points {
			if p.Names[0] == first[0] && !p.Matched() && q.Names[1] == second[0] && !q.Matched() && p.Kind == q.Kind {
				return first[0] + "=" + second[0]
			}
		}
	}
	return ""
}

func drifted[T any](all []T, weight func(T) Weight) int {
	n := 0
	for _, one := range all {
		if weight(one) == Drifted {
			n++
		}
	}
	return n
}

// verb says a number of things and what they do: 1 check fails, 2 checks fail.
func verb(n int, thing, one, many string) string {
	if n == 1 {
		return verdict.Count(n, thing) + " " + one
	}
	return verdict.Count(n, thing) + " " + many
}

func orNone(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
