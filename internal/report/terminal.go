package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// What a terminal shows: the line that decides first, then what blocks with all that is needed to act, then the rest in
// one line each. Lower case, no full stops. Red means "this is wrong" and nothing else.

type style string

const (
	plain style = ""
	red   style = "\x1b[31m"
	amber style = "\x1b[33m"
	green style = "\x1b[32m"
	bold  style = "\x1b[1m"
	faint style = "\x1b[2m"
	reset       = "\x1b[0m"
)

// sheet collects lines of text. All that is written on it is made visible first, so no stranger's text can move the
// cursor.
type sheet struct {
	bytes.Buffer
	width int
	color bool
}

func (s *sheet) paint(st style, text string) string {
	text = visible(text, "")
	if !s.color || st == plain || text == "" {
		return text
	}
	return string(st) + text + reset
}

func (s *sheet) blank() { s.WriteByte('\n') }

// text writes a paragraph: first before its first line, and its further lines under the end of first.
func (s *sheet) text(first string, firstStyle style, text string, st style) {
	text = visible(text, "")
	indent := len([]rune(first))
	for i, line := range wrap(text, s.width-indent) {
		if i == 0 {
			s.WriteString(s.paint(firstStyle, first))
		} else {
			s.WriteString(strings.Repeat(" ", indent))
		}
		s.WriteString(s.paint(st, line))
		s.WriteByte('\n')
	}
}

// field writes a labelled paragraph; nothing if the text is empty.
func (s *sheet) field(indent int, label, text string) {
	s.text(strings.Repeat(" ", indent)+pad(label, 10), faint, text, plain)
}

// Terminal writes the summary that replaces the live frame when a ride has ended.
func Terminal(w io.Writer, src logbook.Source, opts Options) error {
	v, err := verdict.Of(src)
	if err != nil {
		return err
	}
	s := &sheet{width: opts.width(), color: opts.Color}
	s.text("", plain, v.Line, wordStyle(v.Word))
	if opts.Brief {
		s.brief(&v)
	} else {
		s.findings(&v)
		s.unsure(&v)
		s.gaps(&v)
		s.waivers(&v)
		s.columns(&v)
	}
	s.foot(&v, opts)
	_, err = w.Write(s.Bytes())
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

func wordStyle(w verdict.Word) style {
	switch w {
	case verdict.Ready:
		return green
	case verdict.NotReady:
		return red
	}
	return amber
}

const hang = 14 // columns before the text of a finding

func (s *sheet) findings(v *verdict.Verdict) {
	short := false
	for i := range v.Findings {
		f := &v.Findings[i]
		lead := pad(fmt.Sprintf("  %d %s", f.Number, f.Severity), hang)
		if !f.Blocking {
			if !short {
				s.blank()
			}
			short = true
			s.one(lead, f)
			continue
		}
		s.blank()
		s.text(lead, red, capital(f.Headline), bold)
		where := f.ID
		if at := places(f.Points); at != "" {
			where += " at " + at
		}
		s.text(strings.Repeat(" ", hang), plain, where, faint)
		s.details(v, f)
	}
}

// brief writes each finding in a few lines: what is wrong, which check says so, why it matters here, and what mends it.
func (s *sheet) brief(v *verdict.Verdict) {
	indent := strings.Repeat(" ", hang)
	for i := range v.Findings {
		f := &v.Findings[i]
		if i == 0 {
			s.blank()
		}
		s.text(pad(fmt.Sprintf("  %d %s", f.Number, f.Severity), hang), plain, capital(f.Headline), plain)
		s.text(indent, plain, also(f), faint)
		if here := pointed(f.Seen, relevance); here != "" {
			s.text(indent+"here: ", faint, here, plain)
		}
		if f.Blocking && f.Card.Fix != "" {
			s.text(indent+"fix: ", faint, f.Card.Fix, plain)
		}
	}
	if v.Required > 0 {
		s.blank()
		s.text("", plain, "Could not tell: "+verdict.Count(v.Required, "required check"), amber)
	}
}

// also is a finding's check and how many more fail of the same cause.
func also(f *verdict.Finding) string {
	text := f.ID
	if n := len(f.AlsoChecks()); n > 0 {
		text = fmt.Sprintf("%s, and %s of the same cause", f.ID, verdict.Count(n, "more check"))
	}
	if apart := f.Apart(); apart != "" {
		text += ", " + apart
	}
	return text
}

// one writes a finding that does not block in one line if it fits.
func (s *sheet) one(lead string, f *verdict.Finding) {
	title, id := visible(capital(f.Headline), ""), visible(f.ID, "")
	if apart := f.Apart(); apart != "" {
		id += ", " + apart
	}
	room := s.width - hang - len([]rune(id)) - 2
	if len([]rune(title)) <= room {
		s.WriteString(s.paint(plain, lead) + pad(title, max(room, 0)+2) + s.paint(faint, id) + "\n")
		return
	}
	s.text(lead, plain, title, plain)
	s.text(strings.Repeat(" ", hang), plain, id, faint)
}

func (s *sheet) details(v *verdict.Verdict, f *verdict.Finding) {
	say := func(label, text string) { s.field(hang, label, text) }
	say("expected", expected(v, f.Seen))
	say("observed", observed(f.Seen))
	say("cases", pointed(f.Seen, func(c *verdict.Cell) string { return failing(c.Observation) }))
	say("differs", pointed(f.Seen, func(c *verdict.Cell) string { return c.Observation.Differs }))
	say("besides", strings.Join(f.Besides, "; "))
	say("proof", pointed(f.Seen, func(c *verdict.Cell) string {
		if c.Observation.Weak {
			return "weak: that it was accepted was told by the shape of the answer alone"
		}
		return ""
	}))
	say("why", f.Card.Why)
	say("here", pointed(f.Seen, relevance))
	say("severity", raised(f))
	say("fix", f.Card.Fix)
	say("also fail", foldedNames(f.Also))
	say("undecided", foldedNames(f.Waiting))
	say("waiver", pointed(f.Seen, lapse))
	// A command is not wrapped: it is there to be copied.
	s.WriteString(s.paint(faint, strings.Repeat(" ", hang)+pad("alone", 10)) + s.paint(plain, v.Command(f.ID, f.Points)) + "\n")
}

// most is how many lines a list of the summary has before it is cut; the other formats have them all.
const most = 12

// unsure lists what could not be decided, but for what a blocking finding has named already.
func (s *sheet) unsure(v *verdict.Verdict) {
	ids, needed := map[string]bool{}, map[string]bool{}
	var groups []verdict.Group
	for _, g := range v.Unsure {
		if g.Finding > 0 && v.Findings[g.Finding-1].Blocking {
			continue
		}
		groups = append(groups, g)
		ids[g.Check] = true
		needed[g.Check] = needed[g.Check] || g.Required
	}
	if len(groups) == 0 {
		return
	}
	maps.DeleteFunc(needed, func(_ string, required bool) bool { return !required })
	s.blank()
	title := fmt.Sprintf("Could not tell, %s, %s", verdict.Count(len(ids), "check"), required(len(needed), len(ids)))
	s.text("", plain, title, amber)
	for i, g := range groups {
		if i == most {
			s.text("  ", plain, fmt.Sprintf("and %d more", len(groups)-most), plain)
			break
		}
		text := reason(&g)
		if g.Mark == verdict.Error {
			text = "the tool broke: " + text
		}
		s.row(g.Check, places(g.Points), text)
	}
}

// row writes what, where and why; the latter on its own line if the first two are long.
func (s *sheet) row(what, where, why string) {
	lead := "  " + pad(visible(what, ""), 32) + " " + pad(visible(where, ""), 14) + " "
	if len([]rune(lead)) > 50 {
		s.text("  ", plain, strings.TrimSuffix(visible(what, "")+" at "+visible(where, ""), " at "), plain)
		lead = "      "
	}
	s.text(lead, plain, why, plain)
}

func (s *sheet) gaps(v *verdict.Verdict) {
	if len(v.Gaps) > 0 {
		s.blank()
		s.text("", plain, "Not tested, as the plan declares", bold)
		for _, g := range v.Gaps {
			why := g.Reason
			if g.Owner != "" {
				why += ", " + g.Owner
			}
			if !g.Until.IsZero() {
				why += ", until " + g.Until.UTC().Format("2006-01-02")
			}
			s.row(g.Name, verdict.Count(len(g.Checks), "check"), why)
		}
	}
	if n := len(v.Untested); n > 0 {
		s.blank()
		s.text("", plain, "Not tested, and not needed for the verdict", bold)
		for i, g := range v.Untested {
			if i == most {
				s.text("  ", plain, fmt.Sprintf("and %d more", n-most), plain)
				break
			}
			s.row(g.Check, places(g.Points), g.Because)
		}
	}
	if n := len(v.Head.Unasked); n > 0 {
		s.blank()
		s.text("", plain, fmt.Sprintf("%s not asked for by the profile %s", verdict.Count(n, "check"), strings.Join(v.Head.Profile, ", ")), faint)
	}
	for _, x := range v.Expired {
		s.text("  ", plain, fmt.Sprintf("out of scope no longer: %s, expired on %s", x.Check, x.Expires.UTC().Format("2006-01-02")), amber)
	}
}

func (s *sheet) waivers(v *verdict.Verdict) {
	if len(v.Waivers) == 0 {
		return
	}
	s.blank()
	s.text("", plain, "Waivers", bold)
	for _, w := range v.Waivers {
		state := w.State
		if state == "used" {
			state = fmt.Sprintf("fails and is waived until %s", w.Expires.UTC().Format("2006-01-02"))
		} else if state == "expired" && !w.Expires.IsZero() {
			state = "EXPIRED on " + w.Expires.UTC().Format("2006-01-02")
		} else if state == "expired" {
			state = "has no date of expiry, so it covers nothing"
		}
		s.row(w.Check, waivedAt(&w), fmt.Sprintf("%s; %s, %s", state, w.Reason, w.Owner))
	}
}

// columns is the table of marks by point, with the odd column named beside it.
func (s *sheet) columns(v *verdict.Verdict) {
	if len(v.Stages) == 0 {
		return
	}
	totals := sums(v)
	s.blank()
	const label = 15
	used := label
	head := pad("", label)
	var widths, shown []int
	for i, p := range v.Points {
		if totals[i].Total() == 0 {
			continue // nothing was asked there
		}
		name := cut(visible(cmp.Or(p.Name, "(stack)"), ""), 16)
		w := max(len([]rune(name)), 4) + 2
		if used+w > s.width {
			break // a table that wraps says nothing; the other formats have all columns
		}
		used += w
		widths, shown = append(widths, w), append(shown, i)
		head += strings.Repeat(" ", w-len([]rune(name))) + name
	}
	s.WriteString(s.paint(faint, head) + "\n")
	aside, below := oddLines(v), ""
	tooWide := func(line string) bool { return used+5+len([]rune(line)) > s.width }
	if slices.ContainsFunc(aside, tooWide) {
		aside, below = nil, strings.Join(aside, " ")
	}
	for _, m := range []verdict.Mark{verdict.Pass, verdict.Fail, verdict.Inconclusive, verdict.Error, verdict.Missing, verdict.Waived, verdict.NotApplicable, verdict.LeftOut} {
		if v.Cells[m] == 0 && m != verdict.Pass && m != verdict.Fail {
			continue
		}
		line := pad(m.String(), label)
		for i, w := range widths {
			line += fmt.Sprintf("%*s", w, verdict.Number(int64(totals[shown[i]][m])))
		}
		st := plain
		if m == verdict.Fail && v.Cells[m] > 0 {
			st = red
		}
		s.WriteString(s.paint(st, line))
		if len(aside) > 0 {
			s.WriteString("     " + s.paint(plain, aside[0]))
			aside = aside[1:]
		}
		s.blank()
	}
	s.text("", plain, below, plain)
}

func oddLines(v *verdict.Verdict) []string {
	if v.Odd.Point == "" {
		return nil
	}
	return []string{
		fmt.Sprintf("the odd column: %s, alone in %d", v.Odd.Point, v.Odd.Alone),
		fmt.Sprintf("of %s that all points decided", verdict.Count(v.Odd.Of, "check")),
	}
}

// counted says a tally in words: 108 pass, 12 fail, 2 inconclusive.
func counted(t verdict.Tally) string {
	var parts []string
	for _, m := range verdict.Marks {
		if t[m] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", verdict.Number(int64(t[m])), m))
		}
	}
	return strings.Join(parts, ", ")
}

func (s *sheet) foot(v *verdict.Verdict, opts Options) {
	s.blank()
	checks := verdict.Count(v.Checks.Total(), "check") + "   " + counted(v.Checks)
	if n := len(v.Findings); n > 0 && n != v.Checks[verdict.Fail] {
		checks = strings.Replace(checks, " fail", fmt.Sprintf(" fail (%s)", verdict.Count(n, "cause")), 1)
	}
	say := func(label, text string) { s.text(pad(label, 13), faint, text, plain) }
	label, rest, _ := strings.Cut(checks, "   ")
	say(label, cmp.Or(rest, "none was asked"))
	if v.End != nil {
		say("time", duration(v))
		say("load", load(v))
	} else if !v.Waits() { // line one says since when it waits
		say("time", fmt.Sprintf("the book ends after %s: %s", verdict.Time(v.Last), v.Cut))
	}
	if byHand := v.ByHand(); byHand != "" {
		say("onboarding", byHand)
	}
	say("first call", v.FirstCall())
	say("hooks", v.Hooks())
	for _, a := range v.Attached {
		say("attached", attached(a))
	}
	text, _ := cleanup(v)
	say("cleanup", text)
	say("report", opts.Report)
	say("logbook", opts.Logbook)
	s.blank()
	s.text("", plain, next(v, opts), plain)
}

func duration(v *verdict.Verdict) string {
	text := verdict.Time(v.End.Took)
	if wait := cmp.Or(v.End.LongestWait, v.Head.LongestWait); wait > 0 {
		text += "; longest unavoidable wait " + verdict.Time(wait)
	}
	return text
}

func load(v *verdict.Verdict) string {
	text := verdict.Count(v.End.Requests, "request")
	if v.End.PeakRate > 0 {
		text += fmt.Sprintf(", at most %s per second", verdict.Number(int64(v.End.PeakRate)))
	}
	if v.End.PeakMemory > 0 {
		text += "; peak memory " + memory(v.End.PeakMemory)
	}
	return text
}

func next(v *verdict.Verdict, opts Options) string {
	exit := fmt.Sprintf("Exit %d: %s.", v.Exit(), v.Word)
	open := ""
	if opts.Report != "" {
		open = "open the report"
	}
	explain := ""
	switch {
	case v.Waits():
		explain = "`checkride resume " + cmp.Or(opts.Logbook, "logbook.jsonl") + "` when they are there"
	case len(v.Findings) > 0:
		explain = "`checkride explain " + v.Findings[0].ID + "`"
	case v.Required > 0 && len(v.Unsure) > 0:
		explain = "`" + v.Command(v.Unsure[0].Check, nil) + "`"
	}
	var parts []string
	for _, p := range []string{open, explain} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return exit
	}
	return "Next: " + strings.Join(parts, ", or ") + ". " + exit
}
