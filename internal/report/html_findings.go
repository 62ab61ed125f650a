package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

type findingPage struct {
	No                          int
	ID, Headline, Severity, Sev string
	Where                       string
	Also                        []folded
	Waiting                     []folded
	Expected, Why, Relevance    string
	Raised                      string // why its severity is not the catalogue's
	Observed                    []observedPage
	Fix                         string
	Refs                        []refPage
	Lapsed                      string
	Weak                        bool
	Differs                     string
	Exchanges                   []exchangePage
	Cases                       []casePage
	CasesTitle                  string
	Records                     []recordPage
	Command                     string
	Timeline                    string
	Elsewhere                   []string
	Besides                     []string
	Notes                       []string
}

type observedPage struct{ Point, Text, Times string }

type refPage struct{ ID, Title, URL string }

type casePage struct {
	Name, Point, Observed, Differs string
	Sign                           sign
}

type recordPage struct{ Caption, Text string }

// findings shows each finding with all that is needed to act, worst first.
func (p *page) findings(v *verdict.Verdict, ev *evidence, all []plot) {
	p.add(section{ID: "findings", Short: "Findings", Title: findingsTitle(v), Note: findingsNote(v), Count: some(len(v.Findings)), Bad: v.Blocking > 0})
	for i := range v.Findings {
		p.Findings = append(p.Findings, newFinding(v, ev, &v.Findings[i], all))
	}
}

func newFinding(v *verdict.Verdict, ev *evidence, f *verdict.Finding, all []plot) findingPage {
	out := findingPage{
		No: f.Number, ID: f.ID, Headline: capital(f.Headline), Severity: f.Severity.String(), Sev: f.Severity.String(), Where: places(f.Points),
		Also: foldedOf(f.Also), Waiting: foldedOf(f.Waiting),
		Expected: capital(expected(v, f.Seen)), Why: prose(f.Card.Why), Relevance: prose(pointed(f.Seen, relevance)), Raised: prose(raised(f)),
		Fix: prose(f.Card.Fix), Refs: newRefs(f.Card.Refs), Lapsed: pointed(f.Seen, lapse), Elsewhere: elsewhere(f.Elsewhere), Besides: f.Besides,
		Differs: pointed(f.Seen, func(c *verdict.Cell) string { return c.Observation.Differs }), Command: v.Command(f.ID, f.Points),
	}
	if f.Blocking {
		out.Severity += ", blocking"
	}
	if apart := f.Apart(); apart != "" {
		out.Severity += ", " + apart
	}
	if slices.ContainsFunc(all, func(p plot) bool { return p.Check == f.ID }) {
		out.Timeline = "t-" + f.ID
	}
	for i := range f.Seen {
		c := &f.Seen[i]
		out.seen(c)
		out.cases(c, len(f.Seen) > 1)
		for _, x := range exchanges(v, ev, c.Observation, ev.told(c.Observation, mostOfOne), fmt.Sprintf("f%d-x", f.Number)) {
			if !slices.ContainsFunc(out.Exchanges, func(y exchangePage) bool { return x.Anchor == y.Anchor }) {
				out.Exchanges = append(out.Exchanges, x) // points share what withdrew the trust
			}
		}
	}
	if len(f.Seen) == 1 { // the headline has named its point
		only := &out.Observed[0]
		only.Point, only.Times, only.Text = "", capital(only.Times), capital(only.Text)
	}
	out.records(ev, f)
	return out
}

// seen adds what was observed at one point.
func (out *findingPage) seen(c *verdict.Cell) {
	o := c.Observation
	out.Weak = out.Weak || o.Weak
	for _, note := range o.Notes {
		if !strings.HasPrefix(note, stagesNote) { // it has a section of its own
			out.Notes = append(out.Notes, note)
		}
	}
	seen := observedPage{Point: c.Point, Text: o.Observed}
	if bound, found := verdict.WorstBound(o); found {
		seen.Times, seen.Text = measured(&bound), ""
	}
	out.Observed = append(out.Observed, seen)
}

// elsewhere says what the check saw at the other points, once for those that agree.
func elsewhere(cells []verdict.Cell) []string {
	type seen struct {
		mark verdict.Mark
		text string
	}
	var kinds []seen
	at := map[seen][]string{}
	for _, c := range cells {
		s := seen{mark: c.Mark}
		if c.Mark == verdict.Pass {
			s.text = c.Observation.Observed
		}
		if at[s] == nil {
			kinds = append(kinds, s)
		}
		at[s] = append(at[s], c.Point)
	}
	var all []string
	for _, s := range kinds {
		text := verdict.List(at[s], 6) + " " + s.mark.String()
		if s.mark == verdict.Pass && len(at[s]) == 1 {
			text += "es"
		}
		if s.text != "" {
			text += ": " + s.text
		}
		all = append(all, text)
	}
	return all
}

// cases adds the variants that one observation tells apart, those that fail first.
func (out *findingPage) cases(c *verdict.Cell, named bool) {
	o := c.Observation
	if len(o.Cases) == 1 {
		return // what was observed says it
	}
	bad := 0
	for _, x := range o.Cases {
		page := casePage{Name: x.Name, Observed: cmp.Or(x.Observed, x.Because), Differs: x.Differs, Sign: caseSign(x.Outcome)}
		if named {
			page.Point = c.Point
		}
		if x.Outcome == logbook.Fail {
			bad++
		}
		out.Cases = append(out.Cases, page)
	}
	if len(o.Cases) > 0 {
		text := failed(bad, len(o.Cases))
		if c.Point != "" {
			text += " at " + c.Point
		}
		out.CasesTitle = capital(strings.TrimPrefix(out.CasesTitle+"; "+text, "; "))
	}
	slices.SortStableFunc(out.Cases, func(a, b casePage) int { return cmp.Compare(bit(b.Sign.Class == "f"), bit(a.Sign.Class == "f")) })
}

// records adds the log records of what was shown, each once.
func (out *findingPage) records(ev *evidence, f *verdict.Finding) {
	seen := map[uint64]bool{}
	serials := sortedKeys(ev.records)
	for _, c := range f.Seen {
		for _, x := range serials {
			for _, r := range ev.records[x] {
				belongs := slices.Contains(c.Observation.Records, r.Serial) || slices.Contains(ev.told(c.Observation, mostOfOne), r.Exchange)
				if !belongs || seen[r.Serial] {
					continue
				}
				seen[r.Serial] = true
				caption := fmt.Sprintf("%s, record of exchange %04d, arrived after %s, matched by %s", r.Source, r.Exchange, verdict.Time(r.Delay), r.Key)
				out.Records = append(out.Records, recordPage{caption, bodyText(r.Text, int64(len(r.Text)))})
			}
		}
	}
}

func newRefs(refs []logbook.Reference) []refPage {
	var out []refPage
	for _, r := range refs {
		page := refPage{ID: r.ID, Title: r.Title}
		if strings.HasPrefix(r.URL, "https://") {
			page.URL = r.URL
		}
		out = append(out, page)
	}
	return out
}

func findingsTitle(v *verdict.Verdict) string {
	switch {
	case len(v.Findings) == 0 && v.Cells[verdict.Pass] == 0:
		return "No finding, but nothing passed either"
	case len(v.Findings) == 0:
		return "No check fails"
	case v.Blocking == 0:
		return fmt.Sprintf("%s, none blocks", verdict.Count(len(v.Findings), "finding"))
	case v.Blocking == len(v.Findings) && v.Blocking == 1:
		return "One finding, and it blocks"
	case v.Blocking == len(v.Findings):
		return fmt.Sprintf("%s, all blocking", verdict.Count(len(v.Findings), "finding"))
	}
	return fmt.Sprintf("%s, worst first; %d blocking", verdict.Count(len(v.Findings), "finding"), v.Blocking)
}

func findingsNote(v *verdict.Verdict) string {
	if len(v.Findings) == 0 {
		return ""
	}
	return fmt.Sprintf("%s fail, of %s. One cause is one finding: what fails because of it is folded under it.", verdict.Count(v.Checks[verdict.Fail], "check"), verdict.Count(len(v.Findings), "cause"))
}
