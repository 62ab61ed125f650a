package report

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// scale is the plot's range in seconds.
type scale struct {
	from, to, step float64
	period         float64 // between two ticks: that of the probes, or the step where these are too many to see
}

func (s scale) percent(x float64) string {
	return number((x-s.from)/(s.to-s.from)*100) + "%"
}

func (s scale) view() string { return fmt.Sprintf("%s 0 %s 60", number(s.from), number(s.to-s.from)) }

// dash makes a line into ticks, one each period, each as wide as a third of the step.
func (s scale) dash() string { return number(s.step*0.34) + " " + number(s.period-s.step*0.34) }

// every sets the period to the mean time between the probes of a run, so that a plot shows no more of them than there
// were.
func (s scale) every(r run) scale {
	if r.probes > 1 {
		s.period = max(s.step, (r.to-r.from).Seconds()/float64(r.probes-1))
	}
	return s
}

func (s scale) tick() time.Duration { return time.Duration(s.step * float64(time.Second)) }

func newScale(all []measurement) scale {
	end := 0.1
	for _, m := range all {
		end = max(end, max(m.High, m.Low).Seconds()*1.03, m.Limit.Seconds()*1.2)
		if !m.Never {
			end = max(end, (m.High + min(m.Held, m.High+m.Limit)).Seconds())
		}
	}
	step := nice(end / 110)
	return scale{from: -end / 20, to: end * 1.02, step: step, period: step}
}

// nice rounds up to 1, 2 or 5 times a power of ten.
func nice(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, f := range []float64{1, 2, 5, 10} {
		if x <= f*power*1.0001 {
			return f * power
		}
	}
	return 10 * power
}

func (s scale) axis(limit time.Duration) []svgText {
	texts := []svgText{{X: s.percent(0), Y: "15", Anchor: "middle", Class: "k", Text: "t0"}}
	step := nice(s.to / 6)
	for x := step; x < s.to; x += step {
		text := number(x)
		if x+step >= s.to {
			text += " s"
		}
		if math.Abs(x-limit.Seconds()) < step/3 {
			continue // the limit stands there
		}
		texts = append(texts, svgText{X: s.percent(x), Y: "15", Anchor: "middle", Text: text})
	}
	if limit > 0 {
		texts = append(texts, svgText{X: s.percent(limit.Seconds()), Y: "15", Anchor: "middle", Class: "r", Text: number(limit.Seconds())})
	}
	return texts
}

// frame draws what every row has: the line between accepted and refused, t0, the limit.
func (s scale) frame(limit time.Duration) []svgPath {
	paths := []svgPath{{D: fmt.Sprintf("M%s 40H%s", number(s.from), number(s.to)), Class: "s-rule nss"}}
	paths = append(paths, svgPath{D: "M0 0V60", Class: "s-ink nss", Width: "1"})
	if limit > 0 {
		paths = append(paths, svgPath{D: fmt.Sprintf("M%s 0V60", number(limit.Seconds())), Class: "s-bad nss", Width: "1", Dash: "3 3"})
	}
	return paths
}

// run draws one stretch: above the line accepted, red after the limit; below it refused; amber what could not be told.
func (s scale) run(from, to, limit time.Duration, r run) []svgPath {
	line := func(a, b float64, y, class, width string) svgPath {
		return svgPath{D: fmt.Sprintf("M%s %sH%s", number(max(a, s.from)), y, number(min(b, s.to))), Class: class, Width: width, Dash: s.dash()}
	}
	a, b, l := from.Seconds(), to.Seconds(), limit.Seconds()
	if b <= s.from || a >= s.to || b <= a {
		return nil
	}
	switch {
	case r.unknown:
		return []svgPath{line(a, b, "36", "s-amb", "8")}
	case !r.accepted:
		return []svgPath{line(a, b, "44", "s-ref", "7")}
	case limit == 0 || b <= l:
		return []svgPath{line(a, b, "31", "s-acc", "18")}
	case a >= l:
		return []svgPath{line(a, b, "31", "s-bad", "18")}
	}
	late := a + math.Ceil((l-a)/s.period)*s.period // the ticks go on in their rhythm
	return []svgPath{line(a, l, "31", "s-acc", "18"), line(min(late, b), b, "31", "s-bad", "18")}
}

func number(x float64) string { return strconv.FormatFloat(math.Round(x*1000)/1000, 'f', -1, 64) }

type svgPath struct{ D, Class, Width, Dash string }

type svgText struct{ X, Dx, Y, Anchor, Class, Text string }
