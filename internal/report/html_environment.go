package report

import (
	"strings"

	"github.com/checkride/checkride/internal/verdict"
)

// environment shows what the ride did to the stack and what became of it, and the plan.
func (p *page) environment(v *verdict.Verdict) {
	text, _ := cleanup(v)
	p.add(section{ID: "environment", Short: "Environment", Topic: "Environment", Title: environmentTitle(v), Note: capital(text) + "."})
	p.Removals, p.Notes = v.Removals, v.Notes
	if v.End != nil {
		p.Budget, p.Witness = v.End.Budget, v.End.WitnessNotes
	}
	p.Plan, p.PlanName = v.Head.PlanText, v.Head.Plan
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
