package prove

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/checks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/verdict"
)

// Ctrl-C at any moment: the book is closed and says why, the verdict cannot tell, and no client of the ride is left in
// the stack, also not one whose registration was under way.
func TestAStoppedRideLeavesNothingBehind(t *testing.T) {
	moments := []time.Duration{0, 500 * time.Millisecond, time.Second, 3 * time.Second}
	for first := 20 * time.Millisecond; first < 200*time.Millisecond; first += 9 * time.Millisecond { // the first registrations
		moments = append(moments, first)
	}
	for _, after := range moments {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			o := newOperator(t)
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(context.Background())
				stop := time.AfterFunc(after, func() { cancel(errors.New("interrupt")) })
				defer stop.Stop()
				entries, err := Ride(ctx, Setup{Dir: o.dir, Catalogue: checks.Catalogue(), Beside: o.beside(), Slow: 10 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				end := entries[len(entries)-1].End
				if end == nil || !strings.Contains(end.Interrupted, "interrupt") {
					t.Fatalf("the book ends with %+v", entries[len(entries)-1])
				}
				v, err := verdict.Of(logbook.Entries(entries))
				if err != nil {
					t.Fatal(err)
				}
				if v.Word != verdict.CannotTell {
					t.Errorf("the verdict of a stopped ride is %v: %s", v.Word, v.Line)
				}
				if len(end.Left) > 0 {
					t.Errorf("left in the stack, by the book: %v", end.Left)
				}
			})
			if i := slices.IndexFunc(o.end, func(name string) bool { return strings.HasPrefix(name, "checkride") }); i >= 0 {
				t.Errorf("left in the stack: %v", o.end)
			}
		})
	}
}
