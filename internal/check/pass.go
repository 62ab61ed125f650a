package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
)

// Pass is one check at one point: what its story is told with.
type Pass struct {
	Check  *Check
	Point  *plan.Point // the enforcement point; nil elsewhere
	Name   string      // the column: the point's or server's name
	Limits plan.Limits
	Stack  *Stack
	Cast   *cast.Cast

	started time.Time
	own     *cast.Once[*cast.Member]
	seated  bool
	rooted  bool // others may be waiting for what it finds out, so it keeps its seat
	owed    []debt

	again bool // the story is told for the second time

	settled bool            // an outcome stands, which only a worse one replaces
	besides *logbook.Breach // what is asserted now is this promise, and not that of the title

	mu          sync.Mutex // guards the observation's exchanges while several points are watched
	observation logbook.Observation
}

// NewPass makes a pass.
func NewPass(stack *Stack, c *Check, name string, point *plan.Point) *Pass {
	return &Pass{
		Check: c, Point: point, Name: name, Limits: stack.Plan.Limits, Stack: stack, Cast: stack.Cast, own: &cast.Once[*cast.Member]{},
		observation: logbook.Observation{Check: c.ID, Point: name},
	}
}

// Partner gives the partner: the shared one, or one of the pass's own if the check takes something from it.
func (p *Pass) Partner(ctx context.Context) (*cast.Member, error) {
	if p.Check.Takes == Nothing || !p.Cast.Makes(cast.Partner) || p.Stack.Rules.ShareSpent {
		return p.Cast.Member(ctx, cast.Partner)
	}
	return p.own.Get(ctx, func(ctx context.Context) (*cast.Member, error) { return p.Cast.Own(ctx, cast.Partner, cast.Wish{}) })
}

// Neighbour gives the second honest partner, whom no check harms.
func (p *Pass) Neighbour(ctx context.Context) (*cast.Member, error) {
	return p.Cast.Member(ctx, cast.Neighbour)
}

// ResourceServer gives the client that may introspect.
func (p *Pass) ResourceServer(ctx context.Context) (*cast.Member, error) {
	return p.Cast.Member(ctx, cast.ResourceServer)
}

// Run tells the story and gives its observation. A panic is an error of the tool, never a pass and never a finding.
func (p *Pass) Run(ctx context.Context) logbook.Observation {
	p.started = time.Now()
	err := p.sit(ctx)
	if err == nil {
		err = p.tell(ctx)
	}
	if errors.Is(err, errStraddles) {
		err = p.repeat(ctx)
	}
	p.repay(ctx)
	p.stand()
	p.conclude(err)
	p.observation.Took = time.Since(p.started)
	p.observation.Exchanges = slices.Compact(p.observation.Exchanges)
	return p.observation
}

func (p *Pass) tell(ctx context.Context) (err error) {
	defer func() {
		if broke := recover(); broke != nil {
			err = Broken("%s", p.Stack.Keeper.Mask(fmt.Sprintf("panic: %v", broke)))
		}
	}()
	return p.Check.Run(ctx, p)
}
