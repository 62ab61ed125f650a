package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

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

// matrix shows each check at each point, a fold for each stage.
func (p *page) matrix(v *verdict.Verdict) {
	if len(v.Stages) > 0 {
		p.add(section{ID: "matrix", Short: "Matrix", Topic: "Matrix", Title: matrixTitle(v), Note: matrixNote(v), Count: some(v.Checks.Total())})
	}
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

// wholeStack is the column of the checks that look at all points together.
const wholeStack = "stack"

func kindWords(p *logbook.Point) string {
	var words []string
	for _, w := range []string{p.Credential, p.Revocation} {
		if w != "" {
			words = append(words, w)
		}
	}
	if len(words) == 0 && p.Kind == "as" {
		return "authorization server"
	}
	if len(words) == 0 && p.Kind == "" && p.Name == wholeStack {
		return "taken as a whole"
	}
	if len(words) == 0 && p.Kind == "log" {
		return "audit log"
	}
	return strings.Join(words, ", ")
}
