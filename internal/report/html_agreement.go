package report

import (
	"fmt"
	"strings"

	"github.com/checkride/checkride/internal/verdict"
)

type promisePage struct {
	Key, Value, Where, Checks string
	Sign                      sign
	Text                      string
}

// agreement shows each limit that the plan promises, and whether it was kept.
func (p *page) agreement(v *verdict.Verdict) {
	if len(v.Promises) > 0 {
		p.add(section{ID: "agreement", Short: "Agreement", Topic: "Agreement", Title: promisesTitle(v)})
	}
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
