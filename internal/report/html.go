package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

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

type count struct{ Class, Count, Word string }

type fact struct{ Label, Value, Note string }

type stripStage struct {
	Stage, ID, Label string
	Width            int
	Bars             []bar
	Fails            int
}

type bar struct{ X, Y, W, H, Class string }

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

type findingPage struct {
	No                          int
	ID, Headline, Severity, Sev string
	Blocking                    bool
	Where                       string
	Also                        []alsoPage
	Waiting                     []alsoPage
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
	Missing                     string
	Command                     string
	Timeline                    string
	Elsewhere                   []string
	Notes                       []string
}

// alsoPage is another check that fails, or is undecided, because of a finding.
type alsoPage struct{ ID, Points string }

type observedPage struct{ Point, Text, Times string }

type refPage struct{ ID, Title, URL string }

type exchangePage struct {
	Serial           string
	Anchor           string
	Purpose, Time    string
	What, Status     string
	Case             string // which of several cases it is
	Decision         string
	Altered, Odd     bool
	Request, Respond string
	Caption          string
}

type casePage struct {
	Name, Point, Observed, Differs string
	Sign                           sign
}

type recordPage struct{ Caption, Text string }

type pointPage struct {
	Name, Note string
	Odd        bool
}

type stagePage struct {
	Stage   string
	Count   int
	Open    bool
	AllPass bool
	NoOdd   bool
	Sums    []sumPage
	Rows    []rowPage
}

type sumPage struct {
	Point string
	Odd   bool
	Parts []signCount
}

type signCount struct {
	sign
	Count int
}

type rowPage struct {
	ID, Title string
	Class     string
	Cells     []cellPage
}

type cellPage struct {
	sign
	Point, See, SeeID string
	Odd, Differs      bool
	Asked             bool
}

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

type promisePage struct {
	Key, Value, Where, Checks string
	Sign                      sign
	Text                      string
}

type passedPage struct {
	ID, Title, Points, Twin string
	Refs                    []refPage
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

// example shows one plot where none is beyond its limit, that of a revocation if there is one.
func (p *page) example() {
	if len(p.Kept) == 0 {
		return
	}
	i := max(slices.IndexFunc(p.Kept, func(pl plot) bool { return strings.HasPrefix(pl.Check, string(logbook.Revoke)+".") }), 0)
	p.Plots = []plot{p.Kept[i]}
	p.Kept = slices.Delete(slices.Clone(p.Kept), i, i+1)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func sentence(v *verdict.Verdict) string {
	text := v.Sentence
	if v.Word == verdict.NotReady { // a page has room for more than the first
		var more []string
		for i := 1; i < min(v.Blocking, 3); i++ {
			more = append(more, v.Findings[i].Headline)
		}
		first := v.Findings[0].Headline
		text = strings.Replace(text, first, strings.Join(append([]string{first}, more...), "; "), 1)
	}
	if v.Word == verdict.Ready {
		ok := verdict.Count(v.Checks[verdict.Pass], "check") + " passed"
		if n := len(v.Findings); n > 0 {
			ok += fmt.Sprintf(", %s below %s", verdict.Count(n, "finding"), v.Head.Blocks)
		}
		text = strings.TrimSuffix(ok+"; "+text, "; ")
	}
	return capital(text) + "."
}

func (p *page) head(v *verdict.Verdict) {
	other := len(v.Findings) - v.Blocking
	p.Found = []count{{"f", verdict.Number(int64(v.Blocking)), "blocking"}, {"", verdict.Number(int64(other)), "other"}}
	if v.Blocking == 0 {
		p.Found[0].Class = "q"
	}
	for _, m := range []verdict.Mark{verdict.Fail, verdict.Inconclusive, verdict.Missing, verdict.Error, verdict.Waived, verdict.NotApplicable, verdict.LeftOut, verdict.Pass} {
		if n := v.Checks[m]; n > 0 {
			class := markSigns[m].Class
			if class == "n" || class == "p" {
				class = "q"
			}
			p.Checks = append(p.Checks, count{class, verdict.Number(int64(n)), m.String()})
		}
	}
	p.Asked = fmt.Sprintf("%s in %s, %s at %s", verdict.Count(v.Checks.Total(), "check"), verdict.Count(len(v.Stages), "stage"),
		verdict.Count(v.Cells.Total(), "observation"), verdict.Count(len(askedPoints(v)), "place"))
	for _, s := range v.Stages {
		p.Strip = append(p.Strip, newStrip(&s))
	}
	p.facts(v)
}

func (p *page) facts(v *verdict.Verdict) {
	h := &v.Head
	add := func(label, value, note string) {
		if value != "" {
			p.Facts = append(p.Facts, fact{label, value, note})
		}
	}
	plan := h.Plan
	if h.PlanDigest != "" {
		plan += ", sha256 " + short(h.PlanDigest)
	}
	add("Plan", h.Name, plan)
	when := h.Started.UTC().Format("2 Jan 2006, 15:04:05")
	if v.End != nil && !v.End.Finished.IsZero() {
		when += " to " + v.End.Finished.UTC().Format("15:04:05")
	}
	if !h.Started.IsZero() {
		add("Ride", when+" UTC", "id "+h.Ride)
	}
	if v.End != nil {
		wait := cmp.Or(v.End.LongestWait, h.LongestWait)
		note := ""
		if wait > 0 {
			note = "longest unavoidable wait " + verdict.Time(wait)
		}
		add("Duration", verdict.Time(v.End.Took), note)
		rate := ""
		if v.End.PeakRate > 0 {
			rate = fmt.Sprintf("at most %s per second", verdict.Number(int64(v.End.PeakRate)))
		}
		add("Requests", verdict.Number(int64(v.End.Requests)), rate)
		if v.End.PeakMemory > 0 {
			add("Peak memory", memory(v.End.PeakMemory), "")
		}
	} else if !v.Waits() {
		add("Duration", "cut short after "+verdict.Time(v.Last), v.Cut)
	}
	if byHand := v.ByHand(); byHand != "" {
		add("Onboarding", byHand, "first contact "+v.Parked.Since.UTC().Format("2 Jan 2006, 15:04"))
	}
	if first := v.FirstCall(); first != "" {
		add("First call", first, "of the partner at a point")
	}
	if hooks := v.Hooks(); hooks != "" {
		add("Hooks", hooks, "for what has no standard endpoint")
	}
	for _, a := range v.Attached {
		add("Attached", attached(a), a.At.UTC().Format("2 Jan 2006, 15:04")+", sha256 "+short(a.SHA256))
	}
	add("Partner", h.Partner, owned(h.Owner))
	add("Environment", h.Environment, "")
	add("Profile", strings.Join(h.Profile, ", "), unaskedNote(h))
	add("Catalogue", h.Catalogue, pinnedNote(h))
	add("Blocks", h.Blocks.String()+" and above", "")
	add("Tool", h.Tool, "")
}

func owned(owner string) string {
	if owner == "" {
		return ""
	}
	return "agreement owned by " + owner
}

func short(hash string) string {
	if len(hash) < 16 {
		return hash
	}
	return hash[:8] + "…" + hash[len(hash)-4:]
}

// newStrip draws one bar for each check of a stage: tall for a failure, hollow for what is not known.
func newStrip(s *verdict.Stage) stripStage {
	out := stripStage{Stage: string(s.Stage), Width: max(len(s.Rows)*5, 20), Fails: s.Checks[verdict.Fail]}
	unsure := s.Checks[verdict.Inconclusive] + s.Checks[verdict.Error] + s.Checks[verdict.Missing]
	out.Label = fmt.Sprintf("%s: %s, %d fail, %d not known", s.Stage, verdict.Count(len(s.Rows), "check"), out.Fails, unsure)
	worst := 0
	for i, row := range s.Rows {
		if row.Mark > s.Rows[worst].Mark {
			worst = i
		}
		x := float64(i * 5)
		add := func(dx, y, w, h float64, class string) {
			out.Bars = append(out.Bars, bar{number(x + dx), number(y), number(w), number(h), class})
		}
		switch row.Mark {
		case verdict.Fail:
			add(0, 1, 4, 16, "f-bad")
		case verdict.Inconclusive, verdict.Error, verdict.Missing:
			add(.75, 3.75, 2.5, 12.5, "s-amb")
		case verdict.Waived:
			add(.5, 4.5, 3, 11, "s-ink")
			add(0, 10, 4, 6, "f-ink")
		case verdict.Pass:
			add(1, 4, 1.5, 12, "f-mark")
		default:
			add(1, 9.25, 1.5, 1.5, "f-mark")
		}
	}
	out.ID = s.Rows[worst].Card.ID
	return out
}

func newFinding(v *verdict.Verdict, ev *evidence, f *verdict.Finding, all []plot) findingPage {
	out := findingPage{
		No: f.Number, ID: f.ID, Headline: capital(f.Headline), Severity: f.Severity.String(), Sev: f.Severity.String(), Blocking: f.Blocking,
		Where: places(f.Points), Expected: capital(expected(v, f.Seen)), Why: prose(f.Card.Why), Fix: prose(f.Card.Fix), Refs: newRefs(f.Card.Refs),
		Relevance: prose(pointed(f.Seen, relevance)),
		Lapsed:    pointed(f.Seen, lapse), Command: v.Command(f.ID, f.Points),
		Differs: pointed(f.Seen, func(c *verdict.Cell) string { return c.Observation.Differs }),
	}
	if f.Blocking {
		out.Severity += ", blocking"
	}
	if apart := f.Apart(); apart != "" {
		out.Severity += ", " + apart
	}
	out.Raised = prose(raised(f))
	out.Also, out.Waiting = newAlso(f.Also), newAlso(f.Waiting)
	if slices.ContainsFunc(all, func(p plot) bool { return p.Check == f.ID }) {
		out.Timeline = "t-" + f.ID
	}
	for i := range f.Seen {
		c := &f.Seen[i]
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
		out.cases(c, len(f.Seen) > 1)
		for _, x := range exchanges(v, ev, o, ev.told(o, mostOfOne), fmt.Sprintf("f%d-x", f.Number)) {
			if !slices.ContainsFunc(out.Exchanges, func(y exchangePage) bool { return x.Anchor == y.Anchor }) {
				out.Exchanges = append(out.Exchanges, x) // points share what withdrew the trust
			}
		}
	}
	if len(f.Seen) == 1 {
		out.Observed[0].Point = ""
		out.Observed[0].Times, out.Observed[0].Text = capital(out.Observed[0].Times), capital(out.Observed[0].Text)
	}
	out.Elsewhere = elsewhere(f.Elsewhere)
	out.records(v, ev, f)
	return out
}

func newAlso(cells []verdict.Cell) []alsoPage {
	var all []alsoPage
	at := map[string][]string{}
	for _, c := range cells {
		if at[c.Check] == nil {
			all = append(all, alsoPage{ID: c.Check})
		}
		at[c.Check] = append(at[c.Check], c.Point)
	}
	for i := range all {
		all[i].Points = places(at[all[i].ID])
	}
	return all
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

// prose makes a sentence of a card's text.
func prose(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return capital(text)
	}
	return capital(text) + "."
}

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

func (out *findingPage) records(v *verdict.Verdict, ev *evidence, f *verdict.Finding) {
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

func exchanges(v *verdict.Verdict, ev *evidence, o *logbook.Observation, serials []uint64, prefix string) []exchangePage {
	var out []exchangePage
	serials = slices.Sorted(slices.Values(serials))
	ofCase := map[uint64]string{}
	for _, c := range o.Cases {
		for _, serial := range c.Exchanges {
			ofCase[serial] = c.Name
		}
	}
	for _, serial := range serials {
		x := ev.exchanges[serial]
		if x == nil {
			continue // it is not in the book, as when the book is cut
		}
		page := newExchange(v, x, prefix)
		if page.Altered && len(o.Cases) > 1 {
			page.Case = ofCase[serial]
		}
		page.since(ev, o, x)
		out = append(out, page)
	}
	return out
}

// since tells of an exchange of a watch which token it was about, and how long after the withdrawal a probe was let in or
// refused. It was let in when it was sent, at the latest, and refused when it was answered.
func (page *exchangePage) since(ev *evidence, o *logbook.Observation, x *dated) {
	if len(o.Bounds) == 0 {
		return
	}
	token := tokenOf(&x.Exchange)
	page.Case = cmp.Or(token, page.Case)
	if x.Purpose != "probe" {
		return
	}
	t0, known := ev.start(trackKey{o.Check, o.Point, o.Bounds[0].Name})
	if !known || x.at < t0 {
		return
	}
	after := x.at - t0
	if x.Decision == "accepted" {
		after = max(after-x.Took, 0)
	}
	page.Case = verdict.Time(after) + " after the withdrawal"
	if token != "" {
		page.Case = token + ", " + page.Case
	}
	limit := o.Bounds[0].Limit
	if x.Decision == "accepted" && limit > 0 && after > limit {
		page.Odd = true
		page.Case += ", limit " + verdict.Time(limit)
	}
}

func newExchange(v *verdict.Verdict, x *dated, prefix string) exchangePage {
	page := exchangePage{
		Serial: fmt.Sprintf("%04d", x.Serial), Anchor: fmt.Sprintf("%s%d", prefix, x.Serial), Purpose: x.Purpose, Time: clockTime(v, x.at),
		What: x.Point + ": " + x.Method + " " + path(x.URL), Status: x.Failure, Decision: cmp.Or(x.Decision, "not judged"), Altered: x.Purpose == "altered",
		Request: requestText(&x.Exchange), Respond: answerText(&x.Exchange),
	}
	if x.Purpose == "setup" {
		page.Decision = x.Decision // what sets up is not judged
	}
	if x.Who != "" {
		page.What += ", " + strings.TrimPrefix(x.Who, "checkride "+v.Head.Ride+" ")
	}
	if x.Status > 0 {
		page.Status = fmt.Sprint(x.Status)
	}
	page.Odd = page.Altered && x.Decision == "accepted"
	page.Caption = fmt.Sprintf("Exchange %s: %s at %s, answered after %s", page.Serial, x.Purpose, x.Point, verdict.Time(x.Took))
	return page
}

var maskedToken = regexp.MustCompile(`\[(token \d+)\]`)

// tokenOf names the token that an exchange presents or, as a revocation does, is about; empty if it names none.
func tokenOf(x *logbook.Exchange) string {
	for _, h := range x.Request.Header {
		if found := maskedToken.FindStringSubmatch(h.Value); found != nil && strings.EqualFold(h.Name, "Authorization") {
			return found[1]
		}
	}
	if found := maskedToken.FindStringSubmatch(x.Request.Body); found != nil {
		return found[1]
	}
	return ""
}

// path is a URL without its scheme and host; the whole if it has none.
func path(url string) string {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		return url
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return "/"
}

func requestText(x *logbook.Exchange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "> %s %s\n", x.Method, x.URL)
	for _, h := range x.Request.Header {
		fmt.Fprintf(&b, "> %s: %s\n", h.Name, h.Value)
	}
	cert := cmp.Or(x.ClientCert, "none")
	if x.TLS != "" {
		fmt.Fprintf(&b, "> TLS %s, client certificate: %s\n", strings.TrimPrefix(x.TLS, "TLS "), cert)
	}
	if x.Remote != "" {
		connection := "kept"
		if x.Fresh {
			connection = "fresh"
		}
		fmt.Fprintf(&b, "> to %s on a %s connection\n", x.Remote, connection)
	}
	if x.Request.Body != "" {
		b.WriteString(">\n" + bodyText(x.Request.Body, x.Request.Size) + "\n")
	}
	return b.String()
}

func answerText(x *logbook.Exchange) string {
	if x.Status == 0 {
		text := "no answer: " + cmp.Or(x.Failure, "unknown")
		if x.Detail != "" {
			text += ", " + x.Detail
		}
		return text
	}
	var b strings.Builder
	fmt.Fprintf(&b, "< %d\n", x.Status)
	for _, h := range x.Response.Header {
		fmt.Fprintf(&b, "< %s: %s\n", h.Name, h.Value)
	}
	if x.Response.Body != "" {
		b.WriteString("<\n" + bodyText(x.Response.Body, x.Response.Size))
	}
	return b.String()
}

// bodyText cuts a long body; the logbook has the rest.
func bodyText(body string, size int64) string {
	if len(body) <= mostBodySign {
		return body
	}
	text := strings.ToValidUTF8(body[:mostBodySign], "")
	return fmt.Sprintf("%s\n… %s of %s bytes; the logbook has more", text, verdict.Number(mostBodySign), verdict.Number(max(size, int64(len(body)))))
}

func (p *page) matrix(v *verdict.Verdict) {
	for _, m := range verdict.Marks {
		if v.Cells[m] > 0 || m == verdict.Pass || m == verdict.Fail {
			p.Legend = append(p.Legend, markSigns[m])
		}
	}
	asked := askedPoints(v)
	unsure := map[string]bool{}
	for _, g := range v.Unsure {
		unsure[g.Check] = true
	}
	for _, i := range asked {
		pt := v.Points[i]
		p.Points = append(p.Points, pointPage{cmp.Or(pt.Name, "(stack)"), kindWords(&pt), pt.Name == v.Odd.Point && v.Odd.Point != ""})
	}
	for _, s := range v.Stages {
		page := stagePage{Stage: string(s.Stage), Count: len(s.Rows), Open: s.Blocking, AllPass: true, NoOdd: true}
		for column, i := range asked {
			t := s.Points[i]
			sum := sumPage{Point: p.Points[column].Name, Odd: p.Points[column].Odd}
			for _, m := range verdict.Marks {
				if t[m] > 0 {
					sum.Parts = append(sum.Parts, signCount{markSigns[m], t[m]})
				}
			}
			page.Sums = append(page.Sums, sum)
		}
		for j := range s.Rows {
			row := p.row(&s.Rows[j], asked, unsure)
			page.AllPass = page.AllPass && row.Class == "all-pass"
			page.NoOdd = page.NoOdd && s.Rows[j].Odd < 0
			page.Rows = append(page.Rows, row)
		}
		p.Stages = append(p.Stages, page)
	}
}

// askedPoints gives the indices of the points at which any check was due: an empty column says nothing.
func askedPoints(v *verdict.Verdict) []int {
	var all []int
	for i, t := range sums(v) {
		if t.Total() > 0 {
			all = append(all, i)
		}
	}
	return all
}

func (p *page) row(row *verdict.Row, asked []int, unsure map[string]bool) rowPage {
	out := rowPage{ID: row.Card.ID, Title: row.Card.Title, Class: "open"}
	if row.Mark == verdict.Pass {
		out.Class = "all-pass"
	}
	if row.Odd >= 0 {
		out.Class += " is-odd"
	}
	for column, i := range asked {
		c := &row.Cells[i]
		cell := cellPage{sign: markSigns[c.Mark], Point: p.Points[column].Name, Odd: p.Points[column].Odd, Differs: row.Odd == i, Asked: c.Mark != verdict.NotAsked}
		switch {
		case c.Finding > 0:
			cell.See, cell.SeeID = fmt.Sprintf("finding %d", c.Finding), fmt.Sprintf("f%d", c.Finding)
		case unsure[c.Check] && (c.Mark == verdict.Inconclusive || c.Mark == verdict.Missing || c.Mark == verdict.Error || c.Mark == verdict.LeftOut && c.Required && !c.Declared):
			cell.See, cell.SeeID = "why", "nt-"+c.Check
		case c.Mark == verdict.Waived:
			cell.See, cell.SeeID = "until "+c.Waiver.Expires.UTC().Format(time.DateOnly), "waivers"
		}
		out.Cells = append(out.Cells, cell)
	}
	return out
}

func (p *page) untested(v *verdict.Verdict, ev *evidence) {
	group := func(g *verdict.Group) groupPage {
		out := groupPage{Check: g.Check, Points: places(g.Points), Why: reason(g), Sign: markSigns[g.Mark]}
		if g.Finding > 0 {
			out.FindingID = fmt.Sprintf("f%d", g.Finding)
			out.Next = fmt.Sprintf("fix finding %d, ride again", g.Finding)
		} else {
			out.Next = v.Command(g.Check, g.Points)
		}
		for i := range g.Cells {
			if o := g.Cells[i].Observation; o != nil {
				out.Exchanges = append(out.Exchanges, exchanges(v, ev, o, ev.told(o, mostOfOpen), "u-"+g.Check+"-"+g.Cells[i].Point+"-")...)
			}
		}
		return out
	}
	for i := range v.Unsure {
		g := group(&v.Unsure[i])
		if i == 0 || v.Unsure[i-1].Check != g.Check {
			g.Anchor = "nt-" + g.Check
		}
		p.Unsure = append(p.Unsure, g)
	}
	for i := range v.Untested {
		p.Untested = append(p.Untested, group(&v.Untested[i]))
	}
	for i := range v.Absent {
		p.Absent = append(p.Absent, group(&v.Absent[i]))
	}
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
	for _, w := range v.Waivers {
		var at []string
		for _, c := range w.Cells {
			at = append(at, c.Point)
		}
		page := waiverPage{Check: w.Check, Points: cmp.Or(w.Point, places(slices.Compact(at))), State: w.State, Why: w.Reason + ". Owner " + w.Owner, Until: "no date", Bad: w.State != "used"}
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

func (p *page) promises(v *verdict.Verdict) {
	for _, pr := range v.Promises {
		page := promisePage{Key: pr.Key, Value: pr.Value, Checks: strings.Join(pr.Checks, ", "), Sign: markSigns[pr.Mark], Text: "no check of this ride judges it"}
		if pr.Line > 0 {
			page.Where = fmt.Sprintf("%s:%d", v.Head.Plan, pr.Line)
		}
		switch {
		case pr.Mark == verdict.Fail:
			page.Text = "broken at " + places(pr.Broken)
		case pr.Mark == verdict.Pass:
			page.Text = "kept"
		case pr.Mark != verdict.NotAsked:
			page.Text = pr.Mark.String()
		}
		p.Promises = append(p.Promises, page)
	}
}

func (p *page) passed(v *verdict.Verdict) {
	for _, s := range v.Stages {
		for _, row := range s.Rows {
			if row.Mark != verdict.Pass {
				continue
			}
			var at []string
			for i, c := range row.Cells {
				if c.Mark == verdict.Pass {
					at = append(at, v.Points[i].Name)
				}
			}
			refs := newRefs(row.Card.Refs)
			for i := range refs {
				refs[i].Title = "" // the list is for looking up; a finding has the titles
			}
			p.Passed = append(p.Passed, passedPage{row.Card.ID, row.Card.Title, places(at), row.Card.Twin, refs})
		}
	}
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

func matrixTitle(v *verdict.Verdict) string {
	if v.Odd.Point != "" {
		return fmt.Sprintf("%s is the odd one: alone in %d of the %s that all points decided", v.Odd.Point, v.Odd.Alone, verdict.Count(v.Odd.Of, "check"))
	}
	alike := v.Odd.Of > 0
	for _, e := range v.Odd.Each {
		alike = alike && e.Times == 0
	}
	if alike {
		return fmt.Sprintf("All points agree in the %s that all of them decided", verdict.Count(v.Odd.Of, "check"))
	}
	return fmt.Sprintf("%s at %s", verdict.Count(v.Checks.Total(), "check"), verdict.Count(len(askedPoints(v)), "place"))
}

func matrixNote(v *verdict.Verdict) string {
	var others []string
	for _, e := range v.Odd.Each {
		if e.Point != v.Odd.Point {
			others = append(others, fmt.Sprintf("%s in %d", e.Point, e.Times))
		}
	}
	note := ""
	if v.Blocking > 0 {
		note = "Stages with a blocking finding are open."
	}
	if v.Odd.Point != "" && len(others) > 0 {
		note = "Alone stand also " + strings.Join(others, ", ") + ". A red edge marks the cell that differs from all others. " + note
	}
	return strings.TrimSpace(note)
}

func timesTitle(v *verdict.Verdict) string {
	within, all := 0, 0
	limits := map[time.Duration]bool{}
	for _, s := range v.Stages {
		for _, row := range s.Rows {
			for _, c := range row.Cells {
				if c.Observation == nil || len(c.Observation.Bounds) == 0 {
					continue
				}
				all++
				if c.Mark == verdict.Pass {
					within++
				}
				for _, b := range c.Observation.Bounds {
					limits[b.Limit] = true
				}
			}
		}
	}
	limit := "their limits"
	if len(limits) == 1 {
		limit = "the limit of " + verdict.Time(sortedKeys(limits)[0])
	}
	switch within {
	case all:
		return fmt.Sprintf("%s, all within %s", verdict.Count(all, "measurement"), limit)
	case 0:
		return fmt.Sprintf("No point keeps %s", limit)
	}
	return fmt.Sprintf("%d of %s keep %s", within, verdict.Count(all, "measurement"), limit)
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

func promisesTitle(v *verdict.Verdict) string {
	var broken, kept, open int
	for _, p := range v.Promises {
		switch p.Mark {
		case verdict.Fail:
			broken++
		case verdict.Pass:
			kept++
		default:
			open++
		}
	}
	title := fmt.Sprintf("%d of %s broken, %d kept", broken, verdict.Count(len(v.Promises), "limit"), kept)
	if open > 0 {
		title += fmt.Sprintf(", %d not judged", open)
	}
	return title
}

func environmentTitle(v *verdict.Verdict) string {
	left, alive := leftBehind(v)
	switch {
	case len(left) > 0:
		return verdict.Count(len(left), "thing") + " left behind"
	case len(alive) > 0:
		return capital(strings.Join(alive, "; "))
	case v.Waits():
		return "The ride is parked and has sent nothing"
	case v.End == nil:
		return "The ride did not reach its cleanup"
	}
	return "The ride left nothing behind"
}
