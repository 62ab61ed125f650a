package check

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// Where the bounds lie on both sides of the limit and nothing can be withdrawn anew, a check that harms nobody but its own
// partner tells its whole story once more, and only once.
func TestAStraddledLimitHasTheStoryToldAgain(t *testing.T) {
	for _, row := range []struct {
		dies  time.Duration
		alone bool
		want  logbook.Outcome
		told  int
	}{
		{1900 * time.Millisecond, false, logbook.Pass, 2},
		{1900 * time.Millisecond, true, logbook.Inconclusive, 1}, // it harms others
		{1995 * time.Millisecond, false, logbook.Inconclusive, 2},
		{2050 * time.Millisecond, false, logbook.Fail, 2},
		{time.Second, false, logbook.Pass, 1},
	} {
		t.Run(row.dies.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{asked: map[string]int{}}
				s.answer = func(who string, since time.Duration) int {
					if who == "watched" && since >= row.dies {
						return 401
					}
					return 200
				}
				p := s.pass(t)
				p.Stack.Plan.Registration.Mode = "dcr"
				p.Stack.Plan.Clients = []plan.Client{{Name: cast.Partner}}
				told := 0
				p.Check.Takes, p.Check.Alone = Disable, row.alone
				p.Check.Run = func(ctx context.Context, p *Pass) error {
					told++
					s.begun = time.Time{}
					return p.RefusedWithin(ctx, s.withdrawal(p, true))
				}
				o := p.Run(context.Background())
				if o.Outcome != row.want || told != row.told {
					t.Errorf("%v after %d times, want %v after %d; observed %s; because %s", o.Outcome, told, row.want, row.told, o.Observed, o.Because)
				}
				if len(o.Bounds) != 1 {
					t.Errorf("%d bounds are told, want those of the last time alone", len(o.Bounds))
				}
			})
		})
	}
}
