// Package report writes what a ride showed, in a format for each reader. Start with [Terminal] and [HTML].
//
// Every format is made from the logbook alone, does no I/O but to the writer that it is given and never asks the clock:
// the same book gives the same bytes tomorrow. Findings, their ids and all counts come from [verdict.Of], so the formats
// agree. Partner names, headers and log lines are written by strangers: they are shown with control signs and signs of
// writing direction as visible escapes.
package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/checkride/checkride/internal/logbook"
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

// visible shows every sign that a reader could not see as an escape: controls, line and paragraph separators, signs of
// writing direction, zero-width signs, and bytes that are not UTF-8. The signs in keep stay as they are.
func visible(s, keep string) string {
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strings.ContainsRune(keep, r), !hidden(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		i += size
	}
	return b.String()
}

// hidden says that a sign has no look of its own. Category Cf holds the bidi controls (Trojan Source, CVE-2021-42574).
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// units are what must not stand apart from its number.
var units = []string{"s", "ms", "min", "h", "d"}

// phrases are the words of a text between which a line may break: "(limit 2 s)" is one.
func phrases(text string) []string {
	var all []string
	glue := false
	for word := range strings.FieldsSeq(text) {
		unit := strings.TrimRight(word, "),.;:")
		last := len(all) - 1
		number := last >= 0 && unicode.IsDigit(rune(all[last][len(all[last])-1]))
		if glue || number && slices.Contains(units, unit) {
			all[last] += " " + word
		} else {
			all = append(all, word)
		}
		glue = word == "(limit"
	}
	return all
}

// wrap breaks a text into lines of at most width runes, between phrases where it can.
func wrap(text string, width int) []string {
	width = max(width, 8)
	var lines []string
	line, used := "", 0
	for _, word := range phrases(text) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		for used == 0 && n > width {
			runes := []rune(word)
			lines = append(lines, string(runes[:width]))
			word, n = string(runes[width:]), n-width
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += n
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}

// capital makes the first letter a capital, as a heading wants it.
func capital(s string) string {
	if s == "" {
		return ""
	}
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// pad fills s with spaces to a width in runes.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

// cut shortens s to a width in runes and says so.
func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:max(width-1, 0)]) + "…"
}

// promised names the promise that a cell is judged by and its line in the plan: plan.yaml:41, limits.revocation.
func promised(v *verdict.Verdict, c *verdict.Cell) string {
	switch {
	case c.Promise == "":
		return ""
	case c.Line > 0:
		return fmt.Sprintf("%s:%d, %s", v.Head.Plan, c.Line, c.Promise)
	}
	return c.Promise
}

// pointed says a text once if it is the same at all cells, else for each point: edge 200, legacy 302.
func pointed(cells []verdict.Cell, text func(*verdict.Cell) string) string {
	var points, texts []string
	same := true
	for i := range cells {
		s := text(&cells[i])
		if s == "" {
			continue
		}
		same = same && (len(texts) == 0 || s == texts[0])
		points = append(points, cells[i].Point)
		texts = append(texts, s)
	}
	if len(texts) == 0 {
		return ""
	}
	if same && (len(texts) == len(cells) || len(texts) == 1) {
		return texts[0]
	}
	for i := range texts {
		texts[i] = strings.TrimSpace(points[i] + ": " + texts[i])
	}
	return strings.Join(texts, "; ")
}

// expected is what the check expects and the promises of the plan that say so, each once.
func expected(v *verdict.Verdict, cells []verdict.Cell) string {
	text := pointed(cells, func(c *verdict.Cell) string { return c.Observation.Expected })
	var all []string
	for i := range cells {
		p := promised(v, &cells[i])
		if p == "" || slices.Contains(all, p) {
			continue
		}
		if place, key, found := strings.Cut(p, ", "); found && len(all) > 0 && strings.HasPrefix(all[len(all)-1], place+", ") {
			all[len(all)-1] += " and " + key // two promises of one line
			continue
		}
		all = append(all, p)
	}
	if len(all) > 0 {
		text = strings.TrimSpace(text + " (" + strings.Join(all, "; ") + ")")
	}
	return text
}

// observed is what was measured if a bound fails, else what the check says.
func observed(cells []verdict.Cell) string {
	for i := range cells {
		if _, found := verdict.WorstBound(cells[i].Observation); !found {
			return pointed(cells, func(c *verdict.Cell) string { return c.Observation.Observed })
		}
	}
	return pointed(cells, func(c *verdict.Cell) string {
		bound, _ := verdict.WorstBound(c.Observation)
		return measured(&bound)
	})
}

func measured(b *logbook.Bound) string {
	text := verdict.Interval(b)
	switch {
	case b.Expired:
		text = "never, until expiry " + text
	case b.Never:
		text = "still accepted after " + strings.TrimPrefix(text, "over ") + ", when the watch ended"
	case b.Low == 0:
		text = "refused within " + verdict.Time(b.High)
	default:
		text = "refused after " + text
	}
	if b.Flapped > 0 {
		text += fmt.Sprintf(", came back %s", verdict.Count(b.Flapped, "time"))
	}
	return text
}

// failing sums up the cases of an observation: 3 of 60 cases fail: X-User, X-Client and X-Tenant. What a single case saw
// is what was observed.
func failing(o *logbook.Observation) string {
	var names []string
	for _, c := range o.Cases {
		if c.Outcome == logbook.Fail {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 || len(o.Cases) == 1 {
		return ""
	}
	return failed(len(names), len(o.Cases)) + ": " + verdict.List(together(names), 5)
}

// failed counts cases as people do: both cases fail, 3 of 4 cases fail.
func failed(n, of int) string {
	switch {
	case n == of && n == 2:
		return "both cases fail"
	case n == of:
		return fmt.Sprintf("all %d cases fail", n)
	case n == 1:
		return fmt.Sprintf("1 of %s fails", verdict.Count(of, "case"))
	}
	return fmt.Sprintf("%d of %s fail", n, verdict.Count(of, "case"))
}

// together joins the names of cases that differ in their place alone: "no token at edge" and "no token at legacy" are
// "no token at edge and legacy". Nodes are counted: their addresses tell a reader of the summary nothing.
func together(names []string) []string {
	var stems []string
	at := map[string][]string{}
	for _, name := range names {
		stem, place, found := cutLast(name, " at ")
		if !found {
			stem, place = name, ""
		}
		if _, known := at[stem]; !known {
			stems = append(stems, stem)
		}
		at[stem] = append(at[stem], place)
	}
	var all []string
	for _, stem := range stems {
		all = append(all, stem+atPlaces(at[stem]))
	}
	return all
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func atPlaces(places []string) string {
	nodes := 0
	for _, p := range places {
		if strings.HasPrefix(p, "node ") {
			nodes++
		}
	}
	switch {
	case nodes > 1 && nodes == len(places):
		return fmt.Sprintf(" at %d nodes", nodes)
	case len(places) == 1 && places[0] == "":
		return ""
	}
	return " at " + verdict.List(places, 4)
}

// alsoUndecided names what waits for a finding: bind.warm-cache at edge.
func alsoUndecided(f *verdict.Finding) string {
	var ids []string
	at := map[string][]string{}
	for _, c := range f.Waiting {
		if at[c.Check] == nil {
			ids = append(ids, c.Check)
		}
		at[c.Check] = append(at[c.Check], c.Point)
	}
	for i, id := range ids {
		if p := places(at[id]); p != "" {
			ids[i] = id + " at " + p
		}
	}
	return strings.Join(ids, ", ")
}

// folded names the checks that fail of the same cause, with their places: expire.window-closes at gateway.
func folded(f *verdict.Finding) []string {
	ids := f.AlsoChecks()
	for i, id := range ids {
		var at []string
		for _, c := range f.Also {
			if c.Check == id {
				at = append(at, c.Point)
			}
		}
		if p := places(at); p != "" {
			ids[i] += " at " + p
		}
	}
	return ids
}

// reason says why a group has no decision, with the finding that stands behind it.
func reason(g *verdict.Group) string {
	switch {
	case g.Finding > 0 && g.Because != "":
		return fmt.Sprintf("because of finding %d: %s", g.Finding, g.Because)
	case g.Finding > 0:
		return fmt.Sprintf("because of finding %d", g.Finding)
	case g.Because == "" && g.Cause != "":
		return "because of " + g.Cause
	case g.Because == "":
		return "the check does not say why"
	}
	return g.Because
}

// places joins point names; the empty name is the stack as a whole.
func places(points []string) string {
	var names []string
	for _, p := range points {
		if p != "" {
			names = append(names, p)
		}
	}
	return strings.Join(names, ", ")
}

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
