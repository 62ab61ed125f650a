package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// rotationsPage tells how soon what was rotated opened each place: a row for each rotation, a column for each place.
type rotationsPage struct {
	Places []string
	Rows   []rotationRow
}

type rotationRow struct {
	What, Check string
	Cells       []rotationCell
}

type rotationCell struct {
	Place, Text string
	Class       string
	Tried       bool
}

func (p *page) rotations(v *verdict.Verdict) {
	all := v.Openings()
	if len(all) == 0 {
		return
	}
	p.Rotations = newRotations(v, all)
	p.add(section{ID: "rotations", Short: "Rotation", Topic: "Rotation", Title: rotationsTitle(all), Note: "Time from the answer to the rotation until what was new was first accepted; the places were asked one after the other, so it was at most this. How long the old credential lived on is among the measurements above."})
}

func newRotations(v *verdict.Verdict, all []verdict.Opening) *rotationsPage {
	out := &rotationsPage{}
	for _, point := range v.Points {
		if slices.ContainsFunc(all, func(o verdict.Opening) bool { return o.At == point.Name }) {
			out.Places = append(out.Places, point.Name)
		}
	}
	for i := range all {
		row := rotationRow{What: all[i].What, Check: all[i].Check}
		if slices.ContainsFunc(out.Rows, func(r rotationRow) bool { return r.What == row.What && r.Check == row.Check }) {
			continue
		}
		for _, place := range out.Places {
			row.Cells = append(row.Cells, rotationAt(all, row, place))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// rotationAt is the latest opening of a row's credential at a place.
func rotationAt(all []verdict.Opening, row rotationRow, place string) rotationCell {
	cell := rotationCell{Place: place}
	var latest *logbook.Opening
	for i := range all {
		o := &all[i]
		if o.What == row.What && o.Check == row.Check && o.At == place && (latest == nil || o.Never || !latest.Never && o.After > latest.After) {
			latest = &o.Opening
		}
	}
	switch {
	case latest == nil:
		return cell
	case latest.Never:
		cell.Text, cell.Class = "refused for "+verdict.Time(latest.After), "f"
	default:
		cell.Text = verdict.Time(latest.After)
	}
	cell.Tried = true
	return cell
}

func rotationsTitle(all []verdict.Opening) string {
	shut := 0
	var latest time.Duration
	for _, o := range all {
		if o.Never {
			shut++
			continue
		}
		latest = max(latest, o.After)
	}
	if shut > 0 {
		return fmt.Sprintf("%s shut out what was new", verdict.Count(shut, "place"))
	}
	return "What was new opened every place within " + verdict.Time(latest)
}
