package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

type count struct{ Class, Count, Word string }

type fact struct{ Label, Value, Note string }

type stripStage struct {
	Stage, ID, Label string
	Width            int
	Bars             []bar
	Fails            int
}

type bar struct{ X, Y, W, H, Class string }

// verdict shows what was judged of what, and in numbers.
func (p *page) verdict(v *verdict.Verdict) {
	p.add(section{ID: "verdict", Short: "Verdict"})
	p.Sentence = sentence(v)
	if len(v.Head.Only) > 0 {
		p.Partial = "partial ride"
	}
	if !v.Waits() {
		other := len(v.Findings) - v.Blocking
		p.Found = []count{{"f", verdict.Number(int64(v.Blocking)), "blocking"}, {"", verdict.Number(int64(other)), "other"}}
		if v.Blocking == 0 {
			p.Found[0].Class = "q"
		}
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
	add("Purpose", h.Purpose, "of the access")
	if by := h.Permission; by != nil {
		add("Allowed by", by.Approver, by.Ticket+", until "+by.Until.UTC().Format(time.DateOnly))
	}
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

// unaskedNote says how much the profile leaves out.
func unaskedNote(h *logbook.Head) string {
	if len(h.Unasked) == 0 {
		return ""
	}
	return verdict.Count(len(h.Unasked), "check") + " not asked for"
}

// pinnedNote says that the plan is judged by an older catalogue.
func pinnedNote(h *logbook.Head) string {
	if h.Pinned == "" || h.Pinned == h.Catalogue {
		return ""
	}
	return "the plan pins " + h.Pinned + ": what came since is not scored"
}
