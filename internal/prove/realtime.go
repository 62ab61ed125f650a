package prove

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/logbook"
)

// Trial is a check against one stack in real time: against the sandbox with its twin, where it must be loud, or against
// the healthy one, where it must be quiet.
type Trial struct {
	Check   string
	Defects []string // empty: healthy
	Told    logbook.Outcome
	Right   bool
	Because string // why it is not right
}

// RealTime is what a proof in real time needs.
type RealTime struct {
	Catalogue []*check.Check
	Side      int    // sandboxes side by side
	Dir       string // where the sandboxes keep their files
	Done      func(Trial)
}

// Run proves each check against its twin, and all of them in one ride against the healthy sandbox. Done is called for
// each trial as it ends, never twice at once. An error means that the proof itself broke.
func (r RealTime) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	done := func(trials []Trial) {
		mu.Lock()
		defer mu.Unlock()
		for _, trial := range trials {
			r.Done(trial)
		}
	}
	// The healthy ride has the machine to itself: its checks measure against limits of seconds, and must be quiet.
	trials, err := r.healthy(ctx)
	if err != nil {
		return err
	}
	done(trials)
	seats := make(chan struct{}, max(r.Side, 1))
	var all sync.WaitGroup
	for _, c := range r.Catalogue {
		seats <- struct{}{}
		all.Go(func() {
			defer func() { <-seats }()
			trial, err := r.twin(ctx, c)
			if err != nil {
				cancel(fmt.Errorf("prove %s: %w", c.ID, err))
				return
			}
			done([]Trial{trial})
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// tries is how often a check is asked that could not tell: in real time a busy machine makes bounds too wide to judge.
// What a check says for certain is never asked again.
const tries = 3

// healthy rides all checks at once, and again those that could not tell.
func (r RealTime) healthy(ctx context.Context) ([]Trial, error) {
	var told []Trial
	asked := r.Catalogue
	for try := 1; len(asked) > 0; try++ {
		entries, err := r.ride(ctx, Setup{Dir: "healthy", Catalogue: asked})
		if err != nil {
			return nil, fmt.Errorf("prove on the healthy sandbox: %w", err)
		}
		var again []*check.Check
		for _, c := range asked {
			trial := judge(c, defect.Set{}, entries)
			if trial.Told == logbook.Inconclusive && try < tries {
				again = append(again, c)
				continue
			}
			told = append(told, trial)
		}
		asked = again
	}
	return told, nil
}

func (r RealTime) twin(ctx context.Context, c *check.Check) (Trial, error) {
	for try := 1; ; try++ {
		entries, err := r.ride(ctx, Setup{Dir: c.ID, Catalogue: []*check.Check{c}, Defects: c.Twin})
		if err != nil {
			return Trial{}, err
		}
		trial := judge(c, c.Twin, entries)
		if trial.Told != logbook.Inconclusive || try == tries {
			return trial, nil
		}
	}
}

// ride rides in a directory of its own, which is there for that time.
func (r RealTime) ride(ctx context.Context, s Setup) ([]logbook.Entry, error) {
	err := ctx.Err()
	if err != nil {
		return nil, context.Cause(ctx)
	}
	s.Dir = filepath.Join(r.Dir, s.Dir)
	err = os.MkdirAll(s.Dir, 0o700)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(s.Dir)
	return Ride(ctx, s)
}

// judge looks at one check's observations: with its twin one must be a failure, without it all must be passes.
func judge(c *check.Check, defects defect.Set, entries []logbook.Entry) Trial {
	trial := Trial{Check: c.ID, Defects: defects.Names(), Told: logbook.Pass}
	seen := 0
	var odd []string
	for _, e := range entries {
		o := e.Observation
		if o == nil || o.Check != c.ID || o.Outcome == logbook.NotApplicable {
			continue
		}
		seen++
		if o.Outcome == logbook.Fail || o.Outcome != logbook.Pass && trial.Told == logbook.Pass {
			trial.Told = o.Outcome
		}
		if o.Outcome != logbook.Pass {
			odd = append(odd, fmt.Sprintf("%s at %s: %s", o.Outcome, o.Point, strings.TrimSpace(o.Observed+" "+o.Because)))
		}
	}
	loud := len(trial.Defects) > 0
	switch {
	case seen == 0:
		trial.Told, trial.Because = logbook.Inconclusive, "it did not run"
	case loud && trial.Told != logbook.Fail:
		trial.Because = strings.Join(append([]string{"it does not see the defect"}, odd...), "; ")
	case !loud && trial.Told != logbook.Pass:
		trial.Because = strings.Join(odd, "; ")
	default:
		trial.Right = true
	}
	return trial
}
