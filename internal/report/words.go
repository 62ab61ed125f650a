package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

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

// folded is a check that fails, or is undecided, because of a finding, and at which points.
type folded struct{ ID, Points string }

// foldedOf gives the checks of the cells, each with its points: what is folded under a finding.
func foldedOf(cells []verdict.Cell) []folded {
	var all []folded
	at := map[string][]string{}
	for _, c := range cells {
		if at[c.Check] == nil {
			all = append(all, folded{ID: c.Check})
		}
		at[c.Check] = append(at[c.Check], c.Point)
	}
	for i := range all {
		all[i].Points = places(at[all[i].ID])
	}
	return all
}

// foldedNames names them in one line: bind.warm-cache at edge, expire.window-closes at gateway.
func foldedNames(cells []verdict.Cell) string {
	var names []string
	for _, f := range foldedOf(cells) {
		names = append(names, strings.TrimSuffix(f.ID+" at "+f.Points, " at "))
	}
	return strings.Join(names, ", ")
}

// waivedAt is where a waiver holds by its own word, else the points whose failures it covers.
func waivedAt(w *verdict.Waiver) string {
	if w.Point != "" {
		return w.Point
	}
	var at []string
	for _, c := range w.Cells {
		at = append(at, c.Point)
	}
	slices.Sort(at)
	return places(slices.Compact(at))
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

func relevance(c *verdict.Cell) string { return c.Observation.Relevance }

// raised says why a finding's severity is not the catalogue's.
func raised(f *verdict.Finding) string {
	if f.Card.Usual == 0 {
		return ""
	}
	return fmt.Sprintf("%s by the plan's profile, else %s: %s", f.Card.Severity, f.Card.Usual, f.Card.Placed)
}

// lapse names the waiver that no longer covers a failure.
func lapse(c *verdict.Cell) string {
	switch {
	case c.Lapsed == nil:
		return ""
	case c.Lapsed.Expires.IsZero():
		return fmt.Sprintf("the waiver of %s has no date of expiry, so it covers nothing", c.Lapsed.Owner)
	}
	return fmt.Sprintf("the waiver of %s expired on %s", c.Lapsed.Owner, c.Lapsed.Expires.UTC().Format("2006-01-02"))
}

func required(n, of int) string {
	switch {
	case n == 0:
		return "none required"
	case n == of && n == 1:
		return "required"
	case n == of && n == 2:
		return "both required"
	case n == of:
		return "all required"
	}
	return fmt.Sprintf("%d required", n)
}

func attached(a logbook.Attached) string {
	return fmt.Sprintf("%s from %s: %s, %d of this ride; covers %s", a.Source, a.File, verdict.Count(a.Lines, "line"), a.Marked, verdict.List(a.Covers, 4))
}

func memory(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d KiB", (bytes+1023)>>10)
	}
	return fmt.Sprintf("%s MiB", verdict.Number((bytes+1<<20-1)>>20))
}
