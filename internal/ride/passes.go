package ride

import (
	"context"
	"sort"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/logbook"
)

// passes runs the roll: first all that disturb nobody, side by side; then, where a given client is all there is, what
// harms it, the worst last; then what touches the whole authorization server, one at a time (rule 14). After each that
// harms a given client nobody relies on the tokens that it had before.
func (r *run) passes(ctx context.Context, lines []*line) {
	var together, apart []*line
	for _, at := range lines {
		switch {
		case !at.run:
		case at.check.Alone || r.harmsGiven(at.check):
			apart = append(apart, at)
		default:
			together = append(together, at)
		}
	}
	r.together(ctx, together)
	sort.SliceStable(apart, func(i, j int) bool {
		a, b := apart[i].check, apart[j].check
		if a.Alone != b.Alone {
			return b.Alone
		}
		return a.Takes.Damage() < b.Takes.Damage()
	})
	for _, at := range apart {
		r.pass(ctx, at)
		if r.harmsGiven(at.check) {
			r.cast.ForgetTokens()
		}
	}
}

// harmsGiven says that a check takes something from a client that it shares with others. Revoking a token is not among
// it: each such check revokes tokens that it asked for itself.
func (r *run) harmsGiven(c *check.Check) bool {
	return !r.cast.Makes(cast.Partner) && c.Takes != check.Nothing && c.Takes != check.RevokeTokens
}

func (r *run) together(ctx context.Context, lines []*line) {
	wait := func(at *line) time.Duration {
		if at.check.Waits == nil {
			return 0
		}
		return at.check.Waits(r.cfg.Plan.Limits)
	}
	sort.SliceStable(lines, func(i, j int) bool { return wait(lines[i]) > wait(lines[j]) })
	var all sync.WaitGroup
	for _, at := range lines {
		if r.stack.Seats.Take(ctx) != nil { // starts are taken in this order: a seat is free before the next begins
			break
		}
		r.stack.Seats.Leave()
		all.Add(1)
		go func() {
			defer all.Done()
			r.pass(ctx, at)
		}()
	}
	all.Wait()
}

func (r *run) pass(ctx context.Context, at *line) {
	if ctx.Err() != nil || r.broken() {
		return
	}
	observation := check.NewPass(r.stack, at.check, at.name, at.point).Run(ctx)
	if ctx.Err() != nil && observation.Outcome != logbook.Fail && observation.Outcome != logbook.Pass {
		observation.Outcome, observation.Because = logbook.Inconclusive, "the ride was stopped"
	}
	r.record(logbook.Entry{At: time.Since(r.start), Observation: &observation})
}
