package report

import (
	"github.com/checkride/checkride/internal/verdict"
)

type passedPage struct {
	ID, Title, Points, Twin string
	Refs                    []refPage
}

// passed is for looking up what a check promises and what it rests on.
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
	if len(p.Passed) > 0 {
		p.add(section{ID: "passed", Short: "Passed", Topic: "Appendix", Title: verdict.Count(len(p.Passed), "check") + " passed", Note: "A reference says \"relates to\", never \"complies with\". The twin is the sandbox defect on which the check is proven.", Count: some(len(p.Passed))})
	}
}
