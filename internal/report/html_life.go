package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// stagesNote begins the note of a check that led one partner through its whole life: what it did, in order.
const stagesNote = "stages: "

// lifePage is one partner's whole life, and what of it still opens something after its end: a row for each credential
// that it ever held, a column for each place where it was tried.
type lifePage struct {
	Check  string
	Steps  []string
	Places []string
	Rows   []lifeRow
	Open   int // credentials that still open something
}

type lifeRow struct {
	Credential string
	Cells      []lifeCell
	Bad        bool
}

type lifeCell struct {
	sign
	Place, Observed string
	Tried           bool
}

func (p *page) life(v *verdict.Verdict) {
	p.Life = newLife(v)
	if p.Life != nil {
		p.add(section{ID: "life", Short: "Lifecycle", Topic: "Lifecycle", Title: p.Life.title(), Note: "One partner was led through every stage in order, kept each credential that it ever held, and tried them all at the end."})
	}
}

// newLife finds the check that tells of a whole life; nil if there is none.
func newLife(v *verdict.Verdict) *lifePage {
	for _, stage := range v.Stages {
		for _, row := range stage.Rows {
			for i := range row.Cells {
				o := row.Cells[i].Observation
				if o == nil {
					continue
				}
				at := slices.IndexFunc(o.Notes, func(note string) bool { return strings.HasPrefix(note, stagesNote) })
				if at >= 0 && len(o.Cases) > 0 {
					steps := strings.Split(strings.TrimPrefix(o.Notes[at], stagesNote), ", ")
					return drawLife(row.Card.ID, steps, o.Cases)
				}
			}
		}
	}
	return nil
}

// drawLife sorts cases such as "the first token at edge" into rows and columns.
func drawLife(check string, steps []string, cases []logbook.Case) *lifePage {
	life := &lifePage{Check: check, Steps: steps}
	type spot struct{ credential, place string }
	found := map[spot]logbook.Case{}
	var credentials []string
	for _, c := range cases {
		credential, place, _ := cutLast(c.Name, " at ")
		credential, _, _ = strings.Cut(credential, " for ") // introspection of the first token for edge
		if !slices.Contains(credentials, credential) {
			credentials = append(credentials, credential)
		}
		place = cmp.Or(place, "server")
		if !slices.Contains(life.Places, place) {
			life.Places = append(life.Places, place)
		}
		at := spot{credential, place}
		if known, twice := found[at]; !twice || lifeOrder[c.Outcome] > lifeOrder[known.Outcome] {
			found[at] = c
		}
	}
	for _, credential := range credentials {
		row := lifeRow{Credential: credential}
		for _, place := range life.Places {
			c, tried := found[spot{credential, place}]
			cell := lifeCell{Place: place, Tried: tried}
			if tried {
				cell.sign, cell.Observed = caseSign(c.Outcome), c.Observed
				cell.Word = lifeWord(c.Outcome)
			}
			row.Bad = row.Bad || tried && c.Outcome == logbook.Fail
			row.Cells = append(row.Cells, cell)
		}
		if row.Bad {
			life.Open++
		}
		life.Rows = append(life.Rows, row)
	}
	return life
}

// lifeOrder says which of two results in one cell is shown: the worse.
var lifeOrder = map[logbook.Outcome]int{logbook.NotApplicable: 0, logbook.Pass: 1, logbook.Inconclusive: 2, logbook.Error: 3, logbook.Fail: 4}

func lifeWord(o logbook.Outcome) string {
	switch o {
	case logbook.Pass:
		return "dead"
	case logbook.Fail:
		return "still opens"
	}
	return o.String()
}

func (l *lifePage) title() string {
	if l.Open == 0 {
		return fmt.Sprintf("After the end none of %s opens anything", verdict.Count(len(l.Rows), "credential"))
	}
	if l.Open == 1 {
		return fmt.Sprintf("After the end 1 of %s still opens something", verdict.Count(len(l.Rows), "credential"))
	}
	return fmt.Sprintf("After the end %d of %s still open something", l.Open, verdict.Count(len(l.Rows), "credential"))
}
