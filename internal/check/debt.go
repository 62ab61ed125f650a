package check

import (
	"context"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Hook plays one of the operator's hooks for a member and keeps it as evidence.
func (p *Pass) Hook(ctx context.Context, name string, member *cast.Member, values map[string]string) (wire.Exchange, error) {
	x, err := p.Cast.Hook(ctx, name, member, values)
	p.witness(x)
	p.owe(name, member, values, err)
	return x, err
}

// debt is what a given client must be given back: the ride may borrow it and not break it.
type debt struct {
	hook   string
	member *cast.Member
	values map[string]string
}

func givesBack(hook string) string {
	return map[string]string{plan.Suspend: plan.Resume, plan.CloseWindow: plan.OpenWindow, plan.ReduceEntitlement: plan.RestoreEntitlement}[hook]
}

func (p *Pass) owe(hook string, member *cast.Member, values map[string]string, err error) {
	switch back := givesBack(hook); {
	case member == nil || member.Own:
	case back != "": // even if the hook failed: nobody knows how far it came
		p.owed = append(p.owed, debt{back, member, values})
	case err == nil:
		p.owed = slices.DeleteFunc(p.owed, func(d debt) bool { return d.hook == hook && d.member.ID() == member.ID() })
	}
}

// repay gives back to given clients what a story took and did not give back itself: it may have ended early. What cannot
// be given back is said, and nothing that comes after it is judged by that client.
func (p *Pass) repay(ctx context.Context) {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	for _, d := range slices.Backward(p.owed) {
		x, err := p.Cast.Hook(within, d.hook, d.member, d.values)
		p.witness(x)
		d.member.ForgetTokens()
		if err != nil {
			p.Note("the given client %s was not given back as it was: %v", d.member.ID(), err)
			p.Cast.Spend(d.member, "was not given back as it was by "+p.Check.ID+" ("+d.hook+")")
		}
	}
	p.owed = nil
}

// Resume plays the operator's hook that lets a suspended member in again, and forgets the tokens that it had.
func (p *Pass) Resume(ctx context.Context, member *cast.Member) (wire.Exchange, error) {
	x, err := p.Hook(ctx, plan.Resume, member, nil)
	member.ForgetTokens()
	return x, err
}
