package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
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

// page is all that the template prints; every text of it is ready. Each section is filled in by a file of its own, which
// is named after it.
type page struct {
	Style  template.CSS
	Script template.JS
	Policy string
	Title  string
	Footer string

	Nav      []section
	Sections map[string]section // by id

	Eyebrow  string
	Class    string
	Word     string
	Partial  string
	Sentence string
	Found    []count
	Checks   []count
	Asked    string
	Strip    []stripStage
	Facts    []fact

	Onboarding *onboardingPage // nil: the ride does not wait for people

	Findings []findingPage

	Legend []sign
	Points []pointPage
	Stages []stagePage

	Plots  []plot // of the findings; where all is within its limit, one
	Folded []plot // with a limit that was broken for the same causes
	Kept   []plot

	Rotations *rotationsPage // nil: nothing was rotated

	Life *lifePage // nil: no check tells of a whole life

	Unsure   []groupPage
	Gaps     []gapPage
	Waivers  []waiverPage
	Absent   []groupPage
	Untested []groupPage

	Promises []promisePage

	Removals []logbook.Removal
	Notes    []logbook.Note
	Budget   []string
	Witness  []string
	Plan     string
	PlanName string

	Passed []passedPage
}

func newPage(v *verdict.Verdict, ev *evidence) *page {
	p := &page{Sections: map[string]section{}}
	p.frame(v)
	p.verdict(v)
	if v.Waits() {
		p.onboarding(v)
		p.environment(v)
		return p
	}
	all := plots(v, ev)
	p.findings(v, ev, all)
	p.matrix(v)
	p.times(v, all)
	p.rotations(v)
	p.life(v)
	p.untested(v, ev)
	p.agreement(v)
	p.environment(v)
	p.passed(v)
	return p
}

// frame is what stands around the sections.
func (p *page) frame(v *verdict.Verdict) {
	columns := max(len(askedPoints(v)), 1)
	style := reportStyle + fmt.Sprintf(".mx{--cols:minmax(0,1fr) repeat(%d,var(--col))} :root{--col:%srem}\n", columns, number(min(7, 40/float64(columns))))
	p.Style, p.Script = template.CSS(style), template.JS(reportScript)
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(style), digest(reportScript))
	p.Word, p.Class = strings.ToUpper(v.Word.String()), strings.ReplaceAll(v.Word.String(), " ", "-")
	p.Eyebrow = cmp.Or(v.Head.Name, "a plan without a name")
	p.Title = fmt.Sprintf("%s: %s (checkride, %s)", p.Word, p.Eyebrow, v.Head.Started.UTC().Format("2 Jan 2006"))
	p.Footer = cmp.Or(v.Head.Tool, "checkride") + fmt.Sprintf(", logbook format %d. Made from the logbook alone; the same logbook gives the same report. Secrets are masked. Signs that cannot be seen are shown as escapes, as \\u{202e}.", logbook.Version)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// section is one that has something to say. Its title states its result.
type section struct {
	ID, Topic, Short, Title, Note string
	No                            int
	Count                         string
	Bad                           bool
}

// add numbers a section, in the order of the page.
func (p *page) add(s section) {
	s.No = len(p.Nav) + 1
	p.Nav = append(p.Nav, s)
	p.Sections[s.ID] = s
}

// some is a count; nothing where there is nothing to count.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return verdict.Number(int64(n))
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
