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
	seats := make(chan struct{}, max(r.Side, 1))
	var all sync.WaitGroup
	start := func(name string, work func(dir string) ([]Trial, error)) {
		seats <- struct{}{}
		all.Go(func() {
			defer func() { <-seats }()
			if ctx.Err() != nil {
				return
			}
			trials, err := r.in(name, work)
			if err != nil {
				cancel(fmt.Errorf("prove %s: %w", name, err))
				return
			}
			done(trials)
		})
	}
	start("healthy", func(dir string) ([]Trial, error) { return r.healthy(ctx, dir) })
	for _, c := range r.Catalogue {
		start(c.ID, func(dir string) ([]Trial, error) { return r.twin(ctx, c, dir) })
	}
	all.Wait()
	return context.Cause(ctx)
}

// in gives a trial a directory of its own for its time.
func (r RealTime) in(name string, work func(dir string) ([]Trial, error)) ([]Trial, error) {
	dir := filepath.Join(r.Dir, name)
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return work(dir)
}

func (r RealTime) healthy(ctx context.Context, dir string) ([]Trial, error) {
	entries, err := Ride(ctx, Setup{Dir: dir, Catalogue: r.Catalogue})
	if err != nil {
		return nil, err
	}
	var trials []Trial
	for _, c := range r.Catalogue {
		trials = append(trials, judge(c, defect.Set{}, entries))
	}
	return trials, nil
}

func (r RealTime) twin(ctx context.Context, c *check.Check, dir string) ([]Trial, error) {
	entries, err := Ride(ctx, Setup{Dir: dir, Catalogue: []*check.Check{c}, Defects: c.Twin})
	if err != nil {
		return nil, err
	}
	return []Trial{judge(c, c.Twin, entries)}, nil
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
