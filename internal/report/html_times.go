package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// plot draws how long trust outlives its withdrawal: a row for each point and watch, its x unit the second, 0 the
// withdrawal. The template prints times as they are; the browser scales.
type plot struct {
	ID, Title, Check string
	Broken           bool
	Rows             []plotRow
	Axis             []svgText
	Start            string
}

type plotRow struct {
	Name, Note string
	Kind       string // of the point, where Note says which watch it is
	Again      bool   // the row before has the same name
	Label      string // for those who cannot see it
	View       string // viewBox
	Band       string // width of the allowed delay
	Paths      []svgPath
	Texts      []svgText
	Result     string
	Judgement  string
	Bad        bool
	Detail     string
}

// times shows the plots: those of the findings, then, folded, what was broken for the same causes and what was kept.
func (p *page) times(v *verdict.Verdict, all []plot) {
	if len(all) > 0 {
		p.add(section{ID: "times", Short: "Revocation", Topic: "Revocation", Title: timesTitle(v), Note: "Above the line accepted, below it refused; red is accepted after the limit. Times run on one monotonic clock from the withdrawal; each is a bound [last accepted, first refused]."})
	}
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
	if len(p.Plots)+len(p.Folded) == 0 && len(p.Kept) > 0 { // none is beyond its limit: one serves as example, that of a revocation if there is one
		i := max(slices.IndexFunc(p.Kept, func(pl plot) bool { return strings.HasPrefix(pl.Check, string(logbook.Revoke)+".") }), 0)
		p.Plots = []plot{p.Kept[i]}
		p.Kept = slices.Delete(p.Kept, i, i+1)
	}
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

// plots draws every check that measured times, those that fail first.
func plots(v *verdict.Verdict, ev *evidence) []plot {
	var all []plot
	for _, stage := range v.Stages {
		for i := range stage.Rows {
			p, any := newPlot(v, ev, &stage.Rows[i])
			if any {
				all = append(all, p)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b plot) int {
		return cmp.Compare(bit(b.Broken), bit(a.Broken))
	})
	return all
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

type measurement struct {
	point logbook.Point
	logbook.Bound
}

func newPlot(v *verdict.Verdict, ev *evidence, row *verdict.Row) (plot, bool) {
	var all []measurement
	names := map[string]bool{}
	for i, c := range row.Cells {
		if c.Observation == nil {
			continue
		}
		for _, b := range c.Observation.Bounds {
			all = append(all, measurement{v.Points[i], b})
			names[b.Name] = true
		}
	}
	if len(all) == 0 {
		return plot{}, false
	}
	id := row.Card.ID
	p := plot{ID: "t-" + id, Check: id, Title: capital(row.Card.Title), Broken: row.Mark == verdict.Fail}
	if what := v.What[id]; what != "" {
		p.Title = capital(what)
	}
	sc := newScale(all)
	for i := range all {
		m := &all[i]
		key := trackKey{id, m.point.Name, m.Name}
		r := m.row(sc, ev.tracks[key], startOf(ev, key))
		if len(names) > 1 {
			r.Note = strings.TrimPrefix(m.Name, r.Name+", ")
			r.Kind = kindWords(&m.point)
		}
		if i > 0 && all[i-1].point.Name == m.point.Name {
			r.Again, r.Kind = true, ""
		}
		p.Rows = append(p.Rows, r)
	}
	p.Rows = append(p.Rows, twins(ev, id, sc, all[0].Limit)...)
	p.Axis = sc.axis(all[0].Limit)
	if t0, known := ev.start(trackKey{id, all[0].point.Name, all[0].Name}); known {
		p.Start = "t0 = " + clockTime(v, t0)
	}
	return p, true
}

func startOf(ev *evidence, key trackKey) *time.Duration {
	t0, known := ev.start(key)
	if !known {
		return nil
	}
	return &t0
}

func (m *measurement) row(sc scale, tr *track, t0 *time.Duration) plotRow {
	r := plotRow{Name: m.point.Name, Note: kindWords(&m.point), View: sc.view(), Band: number(m.Limit.Seconds()), Bad: m.Outcome == logbook.Fail, Result: verdict.Interval(&m.Bound)}
	end := max(m.High, m.Low)
	switch {
	case m.Expired:
		r.Judgement = "never, until expiry"
	case m.Never:
		r.Judgement = "accepted to the end"
	case m.Outcome == logbook.Fail && end > m.Limit:
		r.Judgement = "over by " + verdict.Time(end-m.Limit)
	case m.Outcome == logbook.Pass:
		r.Judgement = "within"
	default:
		r.Judgement = m.Outcome.String()
	}
	if m.Flapped > 0 {
		r.Judgement += fmt.Sprintf(", came back %s", verdict.Count(m.Flapped, "time"))
	}
	r.Detail = fmt.Sprintf("%s of %s accepted", verdict.Number(int64(m.Accepted)), verdict.Count(m.Probes, "probe"))
	if m.Interval > 0 && m.Probes > 1 {
		r.Detail += ", at last every " + verdict.Time(m.Interval)
	}
	if m.Control != "" {
		r.Detail += "; " + m.Control
	}
	r.Paths = sc.frame(m.Limit)
	if tr != nil && t0 != nil {
		for _, run := range tr.runs {
			from, to := run.from-*t0, run.to-*t0+sc.tick() // the last probe is drawn, and a single shot is one tick
			r.Paths = append(r.Paths, sc.every(run).run(from, to, m.Limit, run)...)
		}
	} else {
		r.Paths = append(r.Paths, sc.run(0, m.Low, m.Limit, run{accepted: true})...)
		if !m.Never {
			r.Paths = append(r.Paths, sc.run(m.High, m.High+m.Held, m.Limit, run{})...)
		}
	}
	class, text := "s-ink nss", "k"
	if r.Bad {
		class, text = "s-bad nss", "r"
	}
	x := end.Seconds()
	r.Paths = append(r.Paths, svgPath{D: fmt.Sprintf("M%s 16V52", number(x)), Class: class, Width: "1.5"})
	mark := svgText{X: sc.percent(x), Dx: "4", Y: "13", Anchor: "start", Class: text, Text: verdict.Time(end)}
	if x > sc.to*0.7 {
		mark.Dx, mark.Anchor = "-4", "end"
	}
	r.Texts = []svgText{mark}
	if m.Held > 0 && !m.Never && x < sc.to*0.7 {
		r.Texts = append(r.Texts, svgText{X: sc.percent(x), Dx: "4", Y: "58", Anchor: "start", Class: "wide", Text: "watched on for " + verdict.Time(m.Held)})
	}
	r.Label = fmt.Sprintf("%s: %s, %s; %s", r.Name, r.Result, r.Judgement, r.Detail)
	return r
}

// twins draws what was not withdrawn: while it is accepted, a refusal is no outage. Watched twins have their own rows; else
// the controls beside the watches share one.
func twins(ev *evidence, check string, sc scale, limit time.Duration) []plotRow {
	rows := siblings(ev, check, sc, limit)
	if len(rows) > 0 || len(ev.controls[check]) == 0 {
		return rows
	}
	row := plotRow{Name: "control", Note: "not withdrawn, at all points", View: sc.view(), Band: number(limit.Seconds()), Paths: sc.frame(limit)}
	probes, answers := 0, 0
	for _, c := range ev.controls[check] {
		t0, known := ev.start(trackKey{check: check, point: c.point})
		if !known || (c.at-t0).Seconds() < sc.from || (c.at-t0).Seconds() > sc.to {
			continue
		}
		probes++
		class := "s-bad"
		if c.accepted {
			answers++
			class = "s-ctl"
		}
		row.Paths = append(row.Paths, svgPath{D: fmt.Sprintf("M%s 30V40", number((c.at - t0).Seconds())), Class: class + " nss", Width: "2"})
	}
	if probes == 0 {
		return nil
	}
	row.say(answers, probes)
	return []plotRow{row}
}

func (r *plotRow) say(answers, probes int) {
	r.Result = fmt.Sprintf("%s of %s accepted", verdict.Number(int64(answers)), verdict.Number(int64(probes)))
	r.Judgement = "no outage"
	if answers < probes {
		r.Judgement, r.Bad = "an outage, or more was withdrawn", true
	}
	r.Label = fmt.Sprintf("control %s: %s, %s", r.Name, r.Result, r.Judgement)
}

func siblings(ev *evidence, check string, sc scale, limit time.Duration) []plotRow {
	byName := map[string][]trackKey{}
	for key := range ev.tracks {
		if key.check == check && (strings.Contains(key.name, "sibling") || strings.Contains(key.name, "neighbour")) {
			byName[key.name] = append(byName[key.name], key)
		}
	}
	var rows []plotRow
	for _, name := range sortedKeys(byName) {
		keys := byName[name]
		slices.SortFunc(keys, func(a, b trackKey) int { return cmp.Compare(a.point, b.point) })
		row := plotRow{Name: name, Note: "not withdrawn", View: sc.view(), Band: number(limit.Seconds()), Paths: sc.frame(limit)}
		probes, answers := 0, 0
		for _, key := range keys {
			tr := ev.tracks[key]
			probes, answers = probes+tr.probes, answers+tr.answers
			t0 := startOf(ev, key)
			for _, r := range tr.runs {
				if t0 == nil {
					break
				}
				path := sc.every(r).run(r.from-*t0, r.to-*t0, 0, r)
				for i := range path {
					if r.accepted {
						path[i].D, path[i].Class, path[i].Width = strings.Replace(path[i].D, " 31H", " 35H", 1), "s-ctl", "10"
					} else {
						path[i].Class = "s-bad"
					}
				}
				row.Paths = append(row.Paths, path...)
			}
		}
		row.say(answers, probes)
		rows = append(rows, row)
	}
	return rows
}
