package verdict

import "github.com/checkride/checkride/internal/logbook"

// Opening is how soon a new credential opened a place, and the check that saw it.
type Opening struct {
	Check string
	logbook.Opening
}

// Openings gives all of them, in the order of the checks.
func (v *Verdict) Openings() []Opening {
	var all []Opening
	for _, stage := range v.Stages {
		for _, row := range stage.Rows {
			for _, c := range row.Cells {
				if c.Observation == nil {
					continue
				}
				for _, o := range c.Observation.Openings {
					all = append(all, Opening{Check: row.Card.ID, Opening: o})
				}
			}
		}
	}
	return all
}
