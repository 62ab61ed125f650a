package ride

import (
	"errors"
	"os"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
)

// Preview says what a ride would do, without sending anything.
func Preview(cfg Config) ([]logbook.Due, time.Duration, error) {
	r := &run{cfg: cfg, keeper: secret.NewKeeper(), start: time.Now()}
	made, err := cast.New(cast.Config{Plan: cfg.Plan, Keeper: r.keeper, Resolver: plan.Resolver{Dir: cfg.Plan.Source.Dir, AllowExec: cfg.AllowExec, Env: os.LookupEnv, Keeper: r.keeper}})
	if err != nil {
		return nil, 0, errors.Join(errors.New("the plan cannot be ridden"), err)
	}
	r.cast = made
	lines := r.roll()
	var dues []logbook.Due
	for _, at := range lines {
		if at.na != "" {
			at.due.LeftOut = "not applicable: " + at.na
		}
		dues = append(dues, *at.due)
	}
	for _, id := range r.unasked {
		dues = append(dues, logbook.Due{Check: id, LeftOut: "the profile " + cfg.Plan.Profiles().String() + " does not ask for it"})
	}
	return dues, foreseen(lines, cfg.Plan.Limits), nil
}
