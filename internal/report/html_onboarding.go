package report

import (
	"fmt"
	"path/filepath"

	"github.com/checkride/checkride/internal/verdict"
)

// onboardingPage is what people have yet to do before a parked ride can go on.
type onboardingPage struct{ Sheet, Plan string }

// onboarding stands for all that a parked ride cannot tell yet: a book without a roll has no findings and no gaps, and an
// empty list of them would read as if all were well.
func (p *page) onboarding(v *verdict.Verdict) {
	parked := v.Parked
	p.Onboarding = &onboardingPage{Sheet: parked.Sheet, Plan: filepath.Base(parked.Plan)} // whose home it lies in is nobody's business
	title := fmt.Sprintf("People have yet to make %s", verdict.List(parked.Clients, len(parked.Clients)))
	p.add(section{ID: "onboarding", Short: "Onboarding", Topic: "Onboarding", Title: title, Note: "Nothing is sent and nothing is judged until the ride goes on."})
}
