package check

import (
	"context"
	"testing"

	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// What is told is the gravest promise that was broken, in whatever order they were asserted.
func TestTheGravestBreachIsTold(t *testing.T) {
	small := &logbook.Breach{Broken: "small", Severity: logbook.Low}
	large := &logbook.Breach{Broken: "large", Severity: logbook.Medium}
	one := func(breach *logbook.Breach, outcome logbook.Outcome) func(*Pass) {
		return func(p *Pass) {
			if breach != nil {
				defer p.Besides(breach)()
			}
			p.Case("x", outcome, "", "", "", "")
		}
	}
	const pass, fail = logbook.Pass, logbook.Fail
	for _, row := range []struct {
		name   string
		story  []func(*Pass)
		want   logbook.Outcome
		breach *logbook.Breach

		besides []bool // of each case
	}{
		{"the title's promise", []func(*Pass){one(nil, fail)}, fail, nil, []bool{false}},
		{"another one", []func(*Pass){one(nil, pass), one(small, fail)}, fail, small, []bool{false, true}},
		{"the graver of two", []func(*Pass){one(small, fail), one(large, fail), one(small, fail)}, fail, large, []bool{true, true, true}},
		{"the title's weighs most", []func(*Pass){one(large, fail), one(nil, fail), one(large, fail)}, fail, nil, []bool{true, false, true}},
		{"what passed is no breach", []func(*Pass){one(small, pass), one(nil, pass)}, pass, nil, []bool{false, false}},
	} {
		p := &Pass{
			Check: &Check{ID: "x.y", Besides: []*logbook.Breach{small, large}, Run: func(_ context.Context, p *Pass) error {
				for _, say := range row.story {
					say(p)
				}
				return nil
			}},
			Stack: &Stack{Plan: &plan.Plan{}, Seats: NewSeats(1)}, Point: &plan.Point{Name: "edge"},
		}
		o := p.Run(context.Background())
		if o.Outcome != row.want || o.Breach != row.breach {
			t.Errorf("%s: %v, breach %+v; want %v, %+v; because %s", row.name, o.Outcome, o.Breach, row.want, row.breach, o.Because)
		}
		for i, one := range o.Cases {
			if (one.Besides != "") != (one.Outcome == fail && row.besides[i]) {
				t.Errorf("%s: case %d is told as %q", row.name, i, one.Besides)
			}
		}
	}
}
