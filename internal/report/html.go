package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// The report is one file without outside parts, readable without script. Its Content-Security-Policy allows the one
// style and the one script by their hashes, so even text that escaped the template could run nothing.

//go:embed report.tmpl
var reportTemplate string

//go:embed style.css
var reportStyle string

//go:embed script.js
var reportScript string

// HTML writes the report for people.
func HTML(w io.Writer, src logbook.Source) error {
	src = cleaned(src)
	v, err := verdict.Of(src)
	if err != nil {
		return err
	}
	ev, err := gatherEvidence(src, &v)
	if err != nil {
		return err
	}
	tmpl, err := template.New("report").Parse(reportTemplate)
	if err != nil {
		return fmt.Errorf("parse the report's template: %w", err)
	}
	err = tmpl.Execute(w, newPage(&v, ev))
	if err != nil {
		return fmt.Errorf("write the HTML report: %w", err)
	}
	return nil
}

// page is all that the template prints; every text of it is ready.
type page struct {
	Style    template.CSS
	Script   template.JS
	Policy   string
	Title    string
	Eyebrow  string
	Class    string
	Word     string
	Partial  string
	Sentence string
	Sections map[string]section
	Nav      []section
	Found    []count
	Checks   []count
	Asked    string
	Strip    []stripStage
	Facts    []fact
	Findings []findingPage
	Points   []pointPage
	Stages   []stagePage
	Legend   []sign
	Plots    []plot // of the findings; where all is within its limit, one
	Folded   []plot // with a limit that was broken for the same causes
	Kept     []plot
	Life     *lifePage // nil: no check tells of a whole life
	Unsure   []groupPage
	Gaps     []gapPage
	Waivers  []waiverPage
	Untested []groupPage
	Absent   []groupPage
	Promises []promisePage
	Removals []logbook.Removal
	Cleanup  string
	Notes    []logbook.Note
	Budget   []string
	Witness  []string
	Plan     string
	PlanName string
	Passed   []passedPage
	Footer   string
}

type section struct {
	ID, Topic, Short, Title, Note string
	No                            int
	Count                         string
	Bad                           bool
}

// sign is an outcome as symbol and word.
type sign struct{ Class, Symbol, Word string }

var markSigns = map[verdict.Mark]sign{
	verdict.Pass:          {"p", "pass", "pass"},
	verdict.Fail:          {"f", "fail", "fail"},
	verdict.Inconclusive:  {"i", "unsure", "inconclusive"},
	verdict.Missing:       {"i", "gap", "missing"},
	verdict.Error:         {"i", "unsure", "error"},
	verdict.Waived:        {"w", "waived", "waived"},
	verdict.NotApplicable: {"n", "na", "not applicable"},
	verdict.LeftOut:       {"n", "gap", "not tested"},
}

func newPage(v *verdict.Verdict, ev *evidence) *page {
	asked := askedPoints(v)
	columns := max(len(asked), 1)
	style := reportStyle + fmt.Sprintf(".mx{--cols:minmax(0,1fr) repeat(%d,var(--col))} :root{--col:%srem}\n", columns, number(min(7, 40/float64(columns))))
	p := &page{
		Style: template.CSS(style), Script: template.JS(reportScript),
		Policy: fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(style), digest(reportScript)),
		Word:   strings.ToUpper(v.Word.String()), Class: strings.ReplaceAll(v.Word.String(), " ", "-"),
		Sentence: sentence(v), Sections: map[string]section{}, Eyebrow: cmp.Or(v.Head.Name, "a plan without a name"),
		Plan: v.Head.PlanText, PlanName: v.Head.Plan, Notes: v.Notes, Removals: v.Removals,
	}
	if len(v.Head.Only) > 0 {
		p.Partial = "partial ride"
	}
	p.Title = fmt.Sprintf("%s: %s (checkride, %s)", p.Word, p.Eyebrow, v.Head.Started.UTC().Format("2 Jan 2006"))
	p.head(v)
	all := plots(v, ev)
	for _, pl := range all {
		switch {
		case slices.ContainsFunc(v.Findings, func(f verdict.Finding) bool { return f.ID == pl.Check }):
			p.Plots = append(p.Plots, pl)
		case pl.Broken:
			p.Folded = append(p.Folded, pl)
		default:
			p.Kept = append(p.Kept, pl)
		}
	}
	if len(p.Plots)+len(p.Folded) == 0 {
		p.example()
	}
	for i := range v.Findings {
		p.Findings = append(p.Findings, newFinding(v, ev, &v.Findings[i], all))
	}
	p.matrix(v)
	p.Life = newLife(v)
	p.untested(v, ev)
	p.promises(v)
	p.Cleanup, _ = cleanup(v)
	if v.End != nil {
		p.Budget, p.Witness = v.End.Budget, v.End.WitnessNotes
	}
	p.passed(v)
	p.sections(v, all)
	p.Footer = cmp.Or(v.Head.Tool, "checkride") + fmt.Sprintf(", logbook format %d. Made from the logbook alone; the same logbook gives the same report. Secrets are masked. Signs that cannot be seen are shown as escapes, as \\u{202e}.", logbook.Version)
	return p
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func caseSign(o logbook.Outcome) sign {
	switch o {
	case logbook.Pass:
		return markSigns[verdict.Pass]
	case logbook.Fail:
		return markSigns[verdict.Fail]
	case logbook.NotApplicable:
		return markSigns[verdict.NotApplicable]
	case logbook.Error:
		return markSigns[verdict.Error]
	}
	return markSigns[verdict.Inconclusive]
}

// sections numbers the sections that have something to say, and lets each title state its result.
func (p *page) sections(v *verdict.Verdict, all []plot) {
	add := func(s section) {
		s.No = len(p.Nav) + 1
		p.Nav = append(p.Nav, s)
		p.Sections[s.ID] = s
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return verdict.Number(int64(n))
	}
	add(section{ID: "verdict", Short: "Verdict"})
	add(section{ID: "findings", Short: "Findings", Title: findingsTitle(v), Note: findingsNote(v), Count: number(len(v.Findings)), Bad: v.Blocking > 0})
	if len(v.Stages) > 0 {
		add(section{ID: "matrix", Short: "Matrix", Topic: "Matrix", Title: matrixTitle(v), Note: matrixNote(v), Count: number(v.Checks.Total())})
	}
	if len(all) > 0 {
		add(section{ID: "times", Short: "Revocation", Topic: "Revocation", Title: timesTitle(v), Note: "Above the line accepted, below it refused; red is accepted after the limit. Times run on one monotonic clock from the withdrawal; each is a bound [last accepted, first refused]."})
	}
	if p.Life != nil {
		add(section{ID: "life", Short: "Lifecycle", Topic: "Lifecycle", Title: p.Life.title(), Note: "One partner was led through every stage in order, kept each credential that it ever held, and tried them all at the end."})
	}
	add(section{ID: "untested", Short: "Not tested", Title: untestedTitle(v), Note: "What was not tested is not green. The verdict is given within the scope that the plan declares.", Count: number(len(v.Unsure) + len(v.Gaps))})
	if len(v.Promises) > 0 {
		add(section{ID: "agreement", Short: "Agreement", Topic: "Agreement", Title: promisesTitle(v)})
	}
	add(section{ID: "environment", Short: "Environment", Topic: "Environment", Title: environmentTitle(v), Note: capital(p.Cleanup) + "."})
	if len(p.Passed) > 0 {
		title := verdict.Count(len(p.Passed), "check") + " passed"
		add(section{ID: "passed", Short: "Passed", Topic: "Appendix", Title: title, Note: "A reference says \"relates to\", never \"complies with\". The twin is the sandbox defect on which the check is proven.", Count: number(len(p.Passed))})
	}
}
