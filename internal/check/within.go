package check

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Withdrawal takes trust away and says how long it may live on.
type Withdrawal struct {
	What    string // for people: a revoked token
	Limit   time.Duration
	Promise string // the plan's key of the limit

	// Mint gives a call whose credential is to die. It is called once per watch: no two watches share a token, since
	// watching must not change what is watched (rule 10).
	Mint func(ctx context.Context) (Call, error)
	// Watched gives what is to die where it is not four of one kind: each with its name, at whatever points. Those of one
	// point are probed in turn, and the points at the same time. Given instead of Mint.
	Watched func(ctx context.Context) ([]Watched, error)
	// Each withdraws one credential; All withdraws all at once. One of them is given.
	Each func(ctx context.Context, call Call) (wire.Exchange, error)
	All  func(ctx context.Context) (wire.Exchange, error)
	// Sibling is the twin that differs only in the factor under test and must live on (rule 3); nil where the whole
	// client goes. Alive is somebody else's good call: if it dies too, it was an outage.
	Sibling, Alive *Call
	// Beside are more good calls that must live on, with their names: one per point where several are watched. One that is
	// refused leaves open what was refused at its point, and no other.
	Beside []Call
	// Cached names the check that finds a point which remembers its decisions. Its failure explains this one where only what
	// was used before lived on too long, and what was never used there was refused in time.
	Cached string
	// Expires says when a watched credential dies by itself; zero: not.
	Expires func(call Call) time.Time
	// Anew gives the same withdrawal with credentials that are new, so that it can be repeated with probes nearer to the
	// limit where the bounds lie on both sides of it (rule 8); nil: it cannot be repeated.
	Anew func(ctx context.Context) (Withdrawal, error)

	near bool // it is the repetition
}

// Watched is one call that is to be refused. A sparse one is not used before the withdrawal, and then shot around the
// limit alone: it may be good for one use only, and what is seldom seen is not kept warm in a cache (rule 10).
type Watched struct {
	Call   Call
	Sparse bool
}

// RefusedWithin asserts that withdrawn trust is refused within its limit. Latencies are bounds (rule 8): the truth lies
// between the sending of the last accepted request and the receipt of the first of the unbroken refusals. Per point one
// credential is densely probed, one used once and shot at the limit, one never used before, one younger than a second
// (rule 10). Expiry is not withdrawal (rule 9).
func (p *Pass) RefusedWithin(ctx context.Context, w Withdrawal) error {
	if longest := p.Stack.Plan.LongestWait.D(); longest > 0 && w.Limit+p.Limits.Patience.D() > longest {
		return CannotTell("would watch %v, longer than the plan's longest_wait of %v; raise it to have this tested", w.Limit+p.Limits.Patience.D(), longest)
	}
	p.stand() // a watch needs no seat among those who talk: its probes are few and must be on time
	err := p.Stack.Watches.Take(ctx)
	if err != nil {
		return err
	}
	defer p.Stack.Watches.Leave()
	w.near = p.again
	watches, err := p.watchOnce(ctx, w)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(watches, func(one *watch) bool { return one.straddles(w.Limit) }); i >= 0 && !p.Stack.Rules.TimesArePoints && (w.Anew != nil || p.mayRepeat()) {
		p.Note("%s was accepted before the limit and refused after it, so it was watched once more with probes nearer to the limit", watches[i].name)
		if w.Anew == nil {
			return errStraddles
		}
		w, err = w.Anew(ctx)
		if err != nil {
			return err
		}
		w.near = true
		watches, err = p.watchOnce(ctx, w)
		if err != nil {
			return err
		}
	}
	return p.judge(ctx, w, watches)
}

// errStraddles asks for the story to be told once more.
var errStraddles = errors.New("the bounds lie on both sides of the limit")

// mayRepeat says that the whole story can be told once more: whom it harms was made for it alone, and nobody else is
// harmed.
func (p *Pass) mayRepeat() bool {
	return !p.again && !p.Check.Alone && p.Check.Takes != Nothing && p.Cast.Makes(cast.Partner) && !p.Stack.Rules.ShareSpent
}

// repeat tells the story once more, with a partner that is new (rule 8: repeat with a smaller interval, then inconclusive).
func (p *Pass) repeat(ctx context.Context) error {
	p.repay(ctx)
	p.again, p.settled, p.own = true, false, &cast.Once[*cast.Member]{}
	before := p.observation
	p.observation = logbook.Observation{Check: before.Check, Point: before.Point, Exchanges: before.Exchanges, Records: before.Records, Notes: before.Notes}
	err := p.sit(ctx)
	if err != nil {
		return err
	}
	return p.tell(ctx)
}

// watchOnce withdraws trust and watches until it is refused, or patience ends.
func (p *Pass) watchOnce(ctx context.Context, w Withdrawal) ([]*watch, error) {
	watches, err := p.mintWatches(ctx, w)
	if err != nil {
		return nil, err
	}
	if len(watches) > 1 && w.Mint != nil { // where a new token ends the one before, what is watched is dead already
		err = p.Opens(ctx, watches[0].call)
		if err != nil {
			return nil, err
		}
	}
	err = p.outlives(w, watches)
	if err != nil {
		return nil, err
	}
	err = p.withdraw(ctx, w, watches)
	if err != nil {
		return nil, err
	}
	p.stand() // a control that was repeated has taken a seat
	return watches, p.watch(ctx, w, watches)
}

// outlives makes sure that what is watched does not die by itself before the watch ends (rule 9).
func (p *Pass) outlives(w Withdrawal, watches []*watch) error {
	if w.Expires == nil || p.Stack.Rules.ExpiryCounts {
		return nil
	}
	need := w.Limit + p.Limits.Patience.D() + p.Limits.ClockSkew.D()
	for _, one := range watches {
		expires := w.Expires(one.call)
		if !expires.IsZero() && time.Until(expires) < need {
			return CannotTell("the token lives %v more, shorter than limit, patience and clock skew together (%v): its refusal would prove nothing; raise the token's life or lower limits.patience", time.Until(expires).Round(100*time.Millisecond), need)
		}
	}
	return nil
}

func (p *Pass) withdraw(ctx context.Context, w Withdrawal, watches []*watch) error {
	if w.All != nil {
		x, err := w.All(ctx)
		if err == nil {
			err = p.confirmed(x)
		}
		if err != nil {
			return err
		}
		for _, one := range watches {
			one.sent, one.done = x.Sent, x.Received
		}
		return nil
	}
	for _, one := range watches {
		x, err := w.Each(ctx, one.call)
		if err == nil {
			err = p.confirmed(x)
		}
		if err != nil {
			return err
		}
		one.sent, one.done = x.Sent, x.Received
	}
	return nil
}

// confirmed makes sure that trust was withdrawn: only then has the time begun to run (rule 8).
func (p *Pass) confirmed(x wire.Exchange) error {
	p.witness(x)
	switch {
	case x.Failure != wire.None:
		return CannotTell("the withdrawal was not confirmed: %s %s", x.Failure, x.Detail)
	case x.Status < 200 || x.Status > 299:
		return CannotTell("the withdrawal was not confirmed: it was answered %d", x.Status)
	}
	return nil
}

// beside is a good call at a point that must live on, or nil.
func (w Withdrawal) beside(point *plan.Point) *Call {
	if w.Alive != nil && w.Alive.Point == point {
		return w.Alive
	}
	for i := range w.Beside {
		if w.Beside[i].Point == point {
			return &w.Beside[i]
		}
	}
	return nil
}
