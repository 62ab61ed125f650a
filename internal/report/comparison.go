package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/compare"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// Comparison writes what differs between two rides, as [Terminal] writes what one of them showed.
func Comparison(w io.Writer, c *compare.Comparison, opts Options) error {
	s := &sheet{width: opts.width(), color: opts.Color}
	s.text("", plain, c.Line, comparedStyle(c.Word))
	s.sides(c)
	s.changed(c, compare.New)
	s.changed(c, compare.Found)
	s.changed(c, compare.Ended)
	s.otherwise(c)
	s.undecided(c)
	s.longer(c)
	s.plans(c)
	s.metadata(c)
	s.apart(c)
	s.alike(c)
	s.blank()
	s.text("", plain, comparedNext(c), plain)
	_, err := w.Write(s.Bytes())
	if err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	return nil
}

func comparedStyle(w compare.Word) style {
	switch w {
	case compare.Same:
		return green
	case compare.Drift:
		return red
	}
	return amber
}

const aside = 13 // columns before the text of a labelled line

func (s *sheet) label(label, text string) {
	s.text(pad(cut(visible(label, ""), aside-1), aside), faint, text, plain)
}

func (s *sheet) sides(c *compare.Comparison) {
	s.blank()
	for i, ride := range c.Sides {
		h := &ride.Head
		text := h.Name
		if h.Environment != "" && h.Environment != h.Name {
			text += " (" + h.Environment + ")"
		}
		s.label(c.Labels[i], fmt.Sprintf("%s, ride %s of %s: %s", text, h.Ride, h.Started.UTC().Format("2006-01-02 15:04"), ride.Line))
	}
	var both []string
	for _, p := range c.Points {
		if p.Matched() && p.Names[0] == p.Names[1] {
			both = append(both, p.Name())
		}
	}
	label := "in both"
	say := func(text string, st style) {
		if text != "" {
			s.text(pad(label, aside), faint, text, st)
			label = ""
		}
	}
	say(verdict.List(both, 12), plain)
	label = "points"
	for _, p := range c.Points {
		switch {
		case p.Matched() && p.Names[0] != p.Names[1]:
			say(fmt.Sprintf("%s in %s is %s in %s", p.Names[0], c.Labels[0], p.Names[1], c.Labels[1]), plain)
		case p.Matched():
		default:
			at, st := 0, amber
			if p.Names[0] == "" {
				at = 1
			}
			text := fmt.Sprintf("%s is in %s alone: %s not compared", p.Name(), c.Labels[at], verdict.Count(p.Cells, "result"))
			if p.Known {
				text, st = text+", as --map says", plain
			}
			say(text, st)
		}
	}
	label = "notice"
	for _, n := range c.Notices {
		st := plain
		if n.Weight == compare.Unknown {
			st = amber
		}
		say(strings.TrimSuffix(n.Text+": "+n.Detail, ": "), st)
	}
}

// title names the findings that one ride has alone.
func title(c *compare.Comparison, change compare.Change) string {
	switch {
	case change == compare.New && c.Nightly():
		return "New findings"
	case change == compare.New:
		return "Findings in " + c.Labels[1] + " alone"
	case change == compare.Found:
		return "Findings in " + c.Labels[1] + ", and " + c.Labels[0] + " could not tell"
	case c.Nightly():
		return "Ended findings"
	}
	return "Findings in " + c.Labels[0] + " alone"
}

func (s *sheet) changed(c *compare.Comparison, change compare.Change) {
	side, st := 1, red
	if change == compare.Ended {
		side, st = 0, plain
	}
	first := true
	for i := range c.Findings {
		f := &c.Findings[i]
		if f.Change != change {
			continue
		}
		if first {
			s.blank()
			s.text("", plain, title(c, change), bold)
			first = false
		}
		lead := st
		if !f.Blocking {
			lead = plain
		}
		s.text(pad("  "+f.Severity.String(), hang), lead, capital(f.Headline), plain)
		where := f.ID
		if at := places(f.Points); at != "" {
			where += " at " + at
		}
		if n := len(f.Also); n > 0 {
			where += fmt.Sprintf(", and %s of the same cause", verdict.Count(n, "more check"))
		}
		if f.Waived {
			where += ", waived in " + c.Labels[side]
		}
		indent := strings.Repeat(" ", hang)
		s.text(indent, plain, where, faint)
		s.text(indent+visible(c.Labels[1-side], "")+": ", faint, otherSide(f, 1-side), plain)
	}
}

// otherSide says what the other ride said where this one has a finding: pass; inconclusive at edge: the control got 429.
func otherSide(f *compare.Finding, side int) string {
	var texts []string
	at := map[string][]string{}
	for i := range f.Checks {
		one := &f.Checks[i]
		if one.Card.ID != f.ID {
			continue
		}
		text := said(one.Cells[side])
		if at[text] == nil {
			texts = append(texts, text)
		}
		at[text] = append(at[text], one.Point)
	}
	if len(texts) == 1 {
		return texts[0]
	}
	for i, text := range texts {
		texts[i] = places(at[text]) + ": " + text
	}
	return strings.Join(texts, "; ")
}

// said is a mark with its reason, or with the longest time that was measured.
func said(cell *verdict.Cell) string {
	text := cell.Mark.String()
	if cell.Because != "" {
		return text + ": " + cell.Because
	}
	if cell.Observation == nil || len(cell.Observation.Bounds) == 0 {
		return text
	}
	b := slices.MaxFunc(cell.Observation.Bounds, func(a, b logbook.Bound) int { return cmp.Compare(max(a.High, a.Low), max(b.High, b.Low)) })
	return text + ", " + measured(&b)
}

// otherwise lists what both rides decided and neither has as a finding of its own alone.
func (s *sheet) otherwise(c *compare.Comparison) {
	first := true
	for i := range c.Checks {
		one := &c.Checks[i]
		text := ""
		switch one.Change {
		case compare.Cases:
			var parts []string
			for i, only := range one.Cases {
				if len(only) > 0 {
					parts = append(parts, fmt.Sprintf("in %s alone: %s", c.Labels[i], verdict.List(together(only), 5)))
				}
			}
			text = "fails in both, and " + strings.Join(parts, "; ")
		case compare.Waiver, compare.Applies:
			text = fmt.Sprintf("%s %s, %s %s", c.Labels[0], said(one.Cells[0]), c.Labels[1], said(one.Cells[1]))
		default:
			continue
		}
		if first {
			s.blank()
			s.text("", plain, "Decided otherwise", bold)
			first = false
		}
		s.row(one.Card.ID, one.Point, text)
	}
}

// undecided lists what at least one of the rides did not decide. What keeps the rides from being the same comes first.
func (s *sheet) undecided(c *compare.Comparison) {
	type line struct {
		check, why string
		points     []string
		failing    int // 1: one of the rides has it as a finding
	}
	for _, weight := range []compare.Weight{compare.Unknown, compare.Noted} {
		var lines []line
		ids := map[string]bool{}
		for i := range c.Checks {
			one := &c.Checks[i]
			if one.Weight != weight || one.Change != compare.Undecided && (one.Change != compare.Apart || weight == compare.Noted) { // what was found is told as a finding
				continue
			}
			why, failing := c.Reason(one), 0
			for side, cell := range one.Cells {
				switch {
				case cell == nil:
				case cell.Mark == verdict.Fail, cell.Mark == verdict.Waived:
					failing = 1
					fallthrough
				case cell.Mark == verdict.Pass, cell.Mark == verdict.NotApplicable:
					why = fmt.Sprintf("%s %s; %s", c.Labels[side], cell.Mark, why)
				}
			}
			ids[one.Card.ID] = true
			same := slices.IndexFunc(lines, func(l line) bool { return l.check == one.Card.ID && l.why == why })
			if same < 0 {
				lines = append(lines, line{one.Card.ID, why, nil, failing})
				same = len(lines) - 1
			}
			lines[same].points = append(lines[same].points, one.Point)
		}
		if len(lines) == 0 {
			continue
		}
		slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(b.failing, a.failing) })
		s.blank()
		head, st := "Not decided by both rides, so not the same: "+verdict.Count(len(ids), "check"), amber
		if weight == compare.Noted {
			head, st = "Not decided by both rides, and nothing depends on it: "+verdict.Count(len(ids), "check"), bold
		}
		s.text("", plain, head, st)
		for i, l := range lines {
			if i == most {
				s.more(len(lines))
				break
			}
			s.row(l.check, places(l.points), l.why)
		}
	}
}

func (s *sheet) more(n int) { s.text("  ", plain, fmt.Sprintf("and %d more", n-most), plain) }

func (s *sheet) longer(c *compare.Comparison) {
	if len(c.Times) == 0 {
		return
	}
	s.blank()
	s.text("", plain, "Measured times that differ for certain", bold)
	for i, t := range c.Times {
		if i == most {
			s.more(len(c.Times))
			break
		}
		s.row(t.Check, t.Point, timed(c, &t))
	}
}

func timed(c *compare.Comparison, t *compare.Time) string {
	turn := "longer"
	if t.By < 0 {
		turn = "shorter"
	}
	text := fmt.Sprintf("%s: %s %s, %s %s: at least %s %s", t.Name, c.Labels[0], verdict.Interval(&t.Bounds[0]), c.Labels[1], verdict.Interval(&t.Bounds[1]), verdict.Time(max(t.By, -t.By)), turn)
	switch limits := [2]string{verdict.Time(t.Bounds[0].Limit), verdict.Time(t.Bounds[1].Limit)}; {
	case limits[0] == limits[1]:
		text += " (limit " + limits[0] + ")"
	default:
		text += fmt.Sprintf(" (limits %s and %s)", limits[0], limits[1])
	}
	if t.Weight == compare.Drifted {
		text += ", notably"
	}
	return text
}

// plans tells what the plans promise differently, and then what is only to be known.
func (s *sheet) plans(c *compare.Comparison) {
	for _, part := range []struct {
		title  string
		weight compare.Weight
	}{{"Promised differently", compare.Drifted}, {"Lawful differences of plans and versions", compare.Noted}} {
		var all []compare.Difference
		for _, d := range c.Plans {
			if d.Weight == part.weight {
				all = append(all, d)
			}
		}
		if len(all) == 0 {
			continue
		}
		s.blank()
		s.text("", plain, part.title, bold)
		for i, d := range all {
			if i == most {
				s.more(len(all))
				break
			}
			s.wide(d.What, fmt.Sprintf("%s %s; %s %s", c.Labels[0], valued(d.Values[0]), c.Labels[1], valued(d.Values[1])))
		}
	}
}

// wide writes what and how; the latter on its own line if the first is long.
func (s *sheet) wide(what, how string) {
	lead := "  " + pad(visible(what, ""), 34) + " "
	if len([]rune(lead)) > 37 {
		s.text("  ", plain, what, plain)
		lead = "      "
	}
	s.text(lead, plain, how, plain)
}

func valued(text string) string { return cmp.Or(cut(visible(text, ""), 160), "nothing") }

func (s *sheet) metadata(c *compare.Comparison) {
	var blocks, kinds []string // what differs, and the documents in which it does: many servers serve one in two places
	at := map[string]int{}
	for _, d := range c.Documents {
		if d.Weight == compare.Noted {
			continue
		}
		said := &sheet{width: s.width, color: s.color}
		for i, m := range d.Members {
			if i == most {
				said.more(len(d.Members))
				break
			}
			said.text("    ", plain, m.Name+" "+m.Words(c.Labels), plain)
		}
		key := d.Point + "\x00" + d.Why + "\x00" + said.String()
		i, known := at[key]
		if known {
			kinds[i] += " and " + d.Kind
			continue
		}
		at[key] = len(blocks)
		blocks = append(blocks, said.String())
		kinds = append(kinds, d.Point+": "+strings.TrimPrefix(d.Why+": ", ": ")+d.Kind)
	}
	for i, block := range blocks {
		if i == 0 {
			s.blank()
			s.text("", plain, "Metadata", bold)
		}
		s.text("  ", plain, kinds[i], plain)
		s.WriteString(block)
	}
}

// apart lists what only one ride had on its roll, by the reason.
func (s *sheet) apart(c *compare.Comparison) {
	var reasons []string
	ids := map[string][]string{}
	failing := map[string]int{}
	for i := range c.Checks {
		one := &c.Checks[i]
		if one.Change != compare.Apart || one.Weight != compare.Noted {
			continue
		}
		if ids[one.Why] == nil {
			reasons = append(reasons, one.Why)
		}
		if !slices.Contains(ids[one.Why], one.Card.ID) {
			ids[one.Why] = append(ids[one.Why], one.Card.ID)
		}
		for _, cell := range one.Cells {
			if cell != nil && cell.Mark == verdict.Fail {
				failing[one.Why]++
			}
		}
	}
	if len(reasons) == 0 {
		return
	}
	s.blank()
	s.text("", plain, "Not comparable: neither new nor ended", bold)
	for _, why := range reasons {
		text := verdict.List(ids[why], 4)
		if n := failing[why]; n > 0 {
			text += fmt.Sprintf("; %s among them", verdict.Count(n, "failure"))
		}
		s.text("  ", plain, fmt.Sprintf("%s, %s: %s", verdict.Count(len(ids[why]), "check"), why, text), plain)
	}
}

// alike says how much was compared, so that silence is not taken for sameness.
func (s *sheet) alike(c *compare.Comparison) {
	s.blank()
	s.label("same", cmp.Or(counted(c.Alike), "nothing"))
	if c.Limits > 0 {
		s.label("limits", verdict.Number(int64(c.Limits))+" compared")
	}
	if c.Timed > 0 {
		s.label("times", verdict.Number(int64(c.Timed))+" compared; told where the intervals do not overlap, from a quarter of the limit")
	}
	var states, texts []string
	at := map[string][]string{}
	for _, d := range c.Documents {
		if at[d.State] == nil {
			states = append(states, d.State)
		}
		at[d.State] = append(at[d.State], d.Point)
	}
	for _, state := range states {
		texts = append(texts, fmt.Sprintf("%s, %s: %s", verdict.Count(len(at[state]), "document"), state, verdict.List(slices.Compact(at[state]), 6)))
	}
	s.label("metadata", strings.Join(texts, "; "))
}

func comparedNext(c *compare.Comparison) string {
	exit := fmt.Sprintf("Exit %d: %s.", c.Exit(), c.Word)
	next := ""
	switch {
	case c.Hint() != "":
		next = "`--map " + visible(c.Hint(), "") + "`, if these are one point"
	case len(c.Findings) > 0 && c.Findings[0].Change == compare.New:
		next = "`checkride explain " + c.Findings[0].ID + "`"
	}
	if next == "" {
		return exit
	}
	return "Next: " + next + ". " + exit
}
