package check

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// watch is one credential that is watched.
type watch struct {
	name  string
	call  Call
	bound logbook.Bound
	sent  time.Time // t0 is an interval: the withdrawal was sent
	done  time.Time // and confirmed

	used   bool // before the withdrawal
	dense  bool
	next   time.Time // when it is probed next
	probed time.Time // when it was probed last
	moment int       // which of the moments around the limit comes next

	lastAccepted, firstRefused time.Time
	lastRefused                time.Time
	refusals                   int            // unbroken, since firstRefused
	nodes                      int            // known ones, each of which must have refused
	kept                       *wire.Exchange // the last accepted one
	slowest                    *atomic.Int64  // of the watches of one withdrawal: how long after its time the latest answer came
	decided                    bool
	unheld                     bool // decided, though the refusals were not seen to last
	asked, open                int  // of the good call beside it: how often it was asked and accepted
	outage                     string
	why                        string
}

// straddles says that the bounds lie on both sides of the limit: the truth may be here or there.
func (o *watch) straddles(limit time.Duration) bool {
	return !o.firstRefused.IsZero() && !o.lastAccepted.After(o.done.Add(limit)) && o.firstRefused.After(o.sent.Add(limit)) && o.outage == ""
}

func (p *Pass) mintWatches(ctx context.Context, w Withdrawal) ([]*watch, error) {
	if w.Watched != nil {
		return p.givenWatches(ctx, w)
	}
	names := []string{"watched", "used once", "never used", "young"}
	if p.Stack.Rules.OneWatch {
		names = names[:1]
	}
	var watches []*watch
	started := time.Now()
	for _, name := range names {
		if name == "young" { // the others are older than it by more than the second that it is young
			err := cast.Sleep(ctx, time.Until(started.Add(youth)))
			if err != nil {
				return nil, err
			}
		}
		call, err := w.Mint(ctx)
		if err != nil {
			return nil, err
		}
		call.Name = name
		for _, other := range watches {
			if other.call.Token.Text == call.Token.Text && !call.Token.Text.Empty() {
				p.Note("the server gives the same token again, so one token is watched instead of four")
				return watches, nil
			}
		}
		if name != "never used" {
			err = p.Opens(ctx, call) // also the good control before
			if err != nil {
				return nil, err
			}
		}
		one := p.newWatch(w, call)
		one.used, one.dense = name != "never used", len(watches) == 0
		watches = append(watches, one)
	}
	return watches, cast.Sleep(ctx, p.ripening(started))
}

// ripening is how long the one watch of an engine without rule 10 still waits: it is never young.
func (p *Pass) ripening(started time.Time) time.Duration {
	if p.Stack.Rules.OneWatch {
		return time.Until(started.Add(youth))
	}
	return 0
}

func (p *Pass) givenWatches(ctx context.Context, w Withdrawal) ([]*watch, error) {
	given, err := w.Watched(ctx)
	if err != nil {
		return nil, err
	}
	var watches []*watch
	for _, each := range given {
		if !each.Sparse {
			err = p.Opens(ctx, each.Call)
			if err != nil {
				return nil, err
			}
		}
		one := p.newWatch(w, each.Call)
		one.used, one.dense = !each.Sparse, !each.Sparse
		watches = append(watches, one)
	}
	return watches, nil
}

func (p *Pass) newWatch(w Withdrawal, call Call) *watch {
	return &watch{name: call.Name, call: call, nodes: len(p.nodes(call.Point)), bound: logbook.Bound{Name: call.Name, Limit: w.Limit, Limited: w.Promise}}
}

// youth is the age up to which some servers overlook the revocation of a token.
const youth = 1100 * time.Millisecond

// watch probes until every credential is decided, each of several of one kind for itself: all of them are shot at the limit,
// and the last in a row would be late. Others are probed in turn, each point's in a lane of its own, so that one that
// answers slowly does not make the others late.
func (p *Pass) watch(ctx context.Context, w Withdrawal, watches []*watch) error {
	started := time.Now()
	defer func() { p.Stack.waitedFor(time.Since(started)) }()
	lanes := lanesOf(w, watches)
	var slowest atomic.Int64
	for _, one := range watches {
		one.slowest = &slowest
	}
	if len(lanes) == 1 {
		return p.watchLane(ctx, w, lanes[0])
	}
	failed := make([]error, len(lanes))
	var all sync.WaitGroup
	for i, lane := range lanes {
		all.Go(func() {
			defer func() {
				if broke := recover(); broke != nil {
					failed[i] = Broken("%s", p.Stack.Keeper.Mask(fmt.Sprintf("panic: %v", broke)))
				}
			}()
			failed[i] = p.watchLane(ctx, w, lane)
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// lanesOf groups what is watched, in order.
func lanesOf(w Withdrawal, watches []*watch) [][]*watch {
	var lanes [][]*watch
	if w.Mint != nil {
		for _, one := range watches {
			lanes = append(lanes, []*watch{one})
		}
		return lanes
	}
	at := map[*plan.Point]int{}
	for _, one := range watches {
		i, known := at[one.call.Point]
		if !known {
			i = len(lanes)
			at[one.call.Point] = i
			lanes = append(lanes, nil)
		}
		lanes[i] = append(lanes[i], one)
	}
	return lanes
}

// watchLane probes whichever is due next.
func (p *Pass) watchLane(ctx context.Context, w Withdrawal, watches []*watch) error {
	started := time.Now()
	for _, one := range watches {
		one.schedule(started, w, p.Limits.Patience.D())
		p.tellWatch(w, one)
	}
	for {
		due := earliest(watches)
		if due == nil {
			return nil
		}
		half := due.done.Add(w.Limit / 2)
		again := due.bound.Probes == 0 && time.Until(half) > 0 && half.Before(due.next) // by then it is known how late answers come
		if again {
			due.next = half
		}
		err := cast.Sleep(ctx, time.Until(due.next))
		if err != nil {
			return err
		}
		if again {
			due.schedule(time.Now(), w, p.Limits.Patience.D())
			continue
		}
		begins := due.firstRefused.IsZero()
		err = p.ping(ctx, due)
		if err != nil {
			return err
		}
		due.conclude(w.Limit, p.Limits.Patience.D())
		if !due.firstRefused.IsZero() && (begins || due.decided) {
			err = p.doubt(ctx, w, due)
			if err != nil {
				return err
			}
		}
		if !due.decided {
			due.schedule(time.Now(), w, p.Limits.Patience.D())
			continue
		}
		p.tellWatch(w, due)
	}
}

func earliest(watches []*watch) *watch {
	var first *watch
	for _, one := range watches {
		if !one.decided && (first == nil || one.next.Before(first.next)) {
			first = one
		}
	}
	return first
}

// doubt asks, at the moments that decide, whether somebody else's good call is accepted at the same place: what is
// refused to everybody is an outage, and one that has healed by the end would pass for the withdrawal (rule 10).
func (p *Pass) doubt(ctx context.Context, w Withdrawal, one *watch) error {
	beside := w.beside(one.call.Point)
	if beside == nil || p.Stack.Rules.NoTwin {
		return nil
	}
	call := p.atNode(*beside, one.bound.Probes-1)
	_, answer, err := p.Do(ctx, wire.Probe, call)
	if err != nil {
		return err
	}
	one.asked++
	if answer.Decision == wire.Accepted {
		one.open++
		return nil
	}
	one.outage = fmt.Sprintf("while it was refused, so was %s (%s): an outage", beside.Name, answer.Why)
	one.firstRefused, one.lastRefused, one.refusals = time.Time{}, time.Time{}, 0
	one.decided = one.over(w.Limit, p.Limits.Patience.D())
	return nil
}

// tellWatch says how a watch stands, for whoever looks on: when it begins and when it ends.
func (p *Pass) tellWatch(w Withdrawal, one *watch) {
	told := &logbook.Watch{
		Check: p.Check.ID, Point: p.Name, Name: one.name, What: w.What, Since: one.done.Sub(p.Stack.Since), Limit: w.Limit,
		Until: one.done.Add(w.Limit + p.Limits.Patience.D()).Sub(p.Stack.Since),
	}
	if one.call.Point != nil {
		told.Point = one.call.Point.Name
	}
	if !one.firstRefused.IsZero() {
		told.Refused = one.firstRefused.Sub(one.sent)
	}
	told.Over = one.decided && (told.Refused == 0 || told.Refused > w.Limit)
	p.Stack.Record(logbook.Entry{At: time.Since(p.Stack.Since), Watch: told})
}

// ping sends a watched call on a fresh connection and keeps the times. What is neither accepted nor refused moves no
// bound. A reset says no more than the network might: only three in a row are a refusal (rule 5).
func (p *Pass) ping(ctx context.Context, one *watch) error {
	call := p.atNode(one.call.Fresh(), one.bound.Probes)
	var x wire.Exchange
	var answer Answer
	for range 3 {
		var err error
		x, answer, err = p.probe(ctx, call)
		if err != nil {
			return err
		}
		if !answer.Thrice {
			break
		}
	}
	one.bound.Probes++
	one.probed = x.Received
	one.late(x.Received.Sub(one.next))
	one.why = answer.Why
	tick := &logbook.Tick{Check: p.Check.ID, Point: p.Name, Name: one.name}
	switch answer.Decision {
	case wire.Accepted:
		one.bound.Accepted++
		if !one.firstRefused.IsZero() {
			one.bound.Flapped++
			one.firstRefused, one.refusals = time.Time{}, 0
		}
		one.lastAccepted = x.Sent
		tick.Accepted = true
		one.kept = &x // of a watch the first and last accepted and the first refused exchange are kept whole
		if one.bound.Accepted == 1 {
			p.evidence(x, answer)
			one.kept = nil
		}
	case wire.Denied, wire.Odd:
		if one.firstRefused.IsZero() {
			one.firstRefused = x.Received
			if one.kept != nil {
				p.evidence(*one.kept, Answer{Decision: wire.Accepted})
				one.kept = nil
			}
			p.evidence(x, answer)
		}
		one.lastRefused = x.Received
		one.refusals++
	default:
		tick.Unknown = true
	}
	p.Stack.Record(logbook.Entry{At: x.Sent.Sub(p.Stack.Since), Tick: tick})
	return nil
}

// probe sends a call that is not recorded by itself.
func (p *Pass) probe(ctx context.Context, call Call) (wire.Exchange, Answer, error) {
	request, err := call.Make()
	if err != nil {
		return wire.Exchange{}, Answer{}, err
	}
	request.Over.Fresh = !p.Stack.Rules.KeptLines
	request.Check, request.Purpose, request.Unrecorded = p.Check.ID, wire.Probe, true
	err = p.mayFail(wire.Probe, call)
	if err != nil {
		return wire.Exchange{}, Answer{}, err
	}
	x, err := call.sender(p)(ctx, request)
	if err != nil {
		return x, Answer{}, err
	}
	p.failed(call, x)
	return x, call.Decide(ctx, x), nil
}

// atNode sends a call to one of the known nodes of its point, each in its turn.
func (p *Pass) atNode(call Call, turn int) Call {
	nodes := p.nodes(call.Point)
	node := nodes[turn%len(nodes)]
	if node == "" {
		return call
	}
	return call.With(func(r *wire.Request) { r.Over.Address = node })
}

func (p *Pass) evidence(x wire.Exchange, answer Answer) {
	p.Stack.Keep(x, answer.Decision.String())
	p.witness(x)
}
