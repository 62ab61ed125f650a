package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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
	// Beside are more good calls that must live on, with their names: one per point where several are watched.
	Beside []Call
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

// watch is one credential that is watched.
type watch struct {
	name  string
	call  Call
	bound logbook.Bound
	sent  time.Time // t0 is an interval: the withdrawal was sent
	done  time.Time // and confirmed

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
		one.dense = len(watches) == 0
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
		one.dense = !each.Sparse
		watches = append(watches, one)
	}
	return watches, nil
}

func (p *Pass) newWatch(w Withdrawal, call Call) *watch {
	return &watch{name: call.Name, call: call, nodes: len(p.nodes(call.Point)), bound: logbook.Bound{Name: call.Name, Limit: w.Limit, Limited: w.Promise}}
}

// youth is the age up to which some servers overlook the revocation of a token.
const youth = 1100 * time.Millisecond

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

// interval between two probes: fine at first, a twentieth of what has passed later (rule 8).
func interval(elapsed time.Duration) time.Duration { return max(250*time.Millisecond, elapsed/20) }

// lead is how long before the limit the decisive probe is sent, so that its answer is there in time, on a busy machine
// too. What is still accepted then is asked again just after the limit.
func lead(limit time.Duration) time.Duration { return min(limit/5, time.Second) }

// ahead is the lead of a watch, the greater the later answers come. A repeated one is probed as near to the limit as its
// answers allow.
func (o *watch) ahead(w Withdrawal) time.Duration {
	usual := lead(w.Limit)
	if w.near {
		usual /= 8
	}
	return min(max(usual, 3*time.Duration(o.slowest.Load())), w.Limit/2)
}

// late keeps how long after its time an answer came.
func (o *watch) late(by time.Duration) {
	for {
		known := o.slowest.Load()
		if int64(by) <= known || o.slowest.CompareAndSwap(known, int64(by)) {
			return
		}
	}
}

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

func earliest(watches []*watch) *watch {
	var first *watch
	for _, one := range watches {
		if !one.decided && (first == nil || one.next.Before(first.next)) {
			first = one
		}
	}
	return first
}

// schedule sets when the credential is probed next. The dense one goes by the interval, with a probe just before the
// limit, one just after it and one when patience ends; the others are shot at these moments alone.
func (o *watch) schedule(now time.Time, w Withdrawal, patience time.Duration) {
	ahead := o.ahead(w)
	// What is refused counts from the sending of the withdrawal, and what is accepted from its confirmation. Where answers
	// come late, what is still accepted is asked at the usual time, too.
	moments := []time.Time{
		o.sent.Add(w.Limit - ahead), o.sent.Add(w.Limit - lead(w.Limit)), o.done.Add(w.Limit + ahead/2), o.done.Add(w.Limit + patience),
	}
	for o.moment < len(moments) && !moments[o.moment].After(o.probed) {
		o.moment++
	}
	if o.dense {
		o.next = now.Add(interval(now.Sub(o.done)))
		o.bound.Interval = interval(now.Sub(o.done))
	}
	if o.moment < len(moments) {
		exact := moments[o.moment]
		if !o.dense || exact.Before(o.next) && o.firstRefused.IsZero() {
			o.next = exact
		}
	}
}

func (o *watch) over(limit, patience time.Duration) bool {
	return !o.probed.Before(o.done.Add(limit + patience))
}

// conclude decides a credential. Of the dense one the refusals must have held long enough to exclude flapping: twice
// the time that it took, a second at least, the limit at most, and at each known node. What was not decided meanwhile
// is no refusal; when it goes on for too long, the watch ends and nothing is proven.
func (o *watch) conclude(limit, patience time.Duration) {
	if o.firstRefused.IsZero() {
		o.decided = o.over(limit, patience)
		// Past its limit the finding stands, and what is still asked is how long it lasts.
		o.dense = o.dense || o.lastAccepted.After(o.done.Add(limit))
		return
	}
	o.bound.Held = o.lastRefused.Sub(o.firstRefused)
	hold := min(max(2*o.firstRefused.Sub(o.done), time.Second), max(limit, time.Second))
	held := !o.dense || o.bound.Held >= hold && o.refusals >= o.nodes
	o.unheld = !held && o.probed.Sub(o.firstRefused) > 2*hold+patience
	o.decided = held || o.unheld
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

// judge turns the bounds into outcomes. Beside each refusal the twin must live. That something was accepted too late
// stands for itself.
func (p *Pass) judge(ctx context.Context, w Withdrawal, watches []*watch) error {
	dead := p.lives(ctx, w)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, one := range watches {
		if one.kept != nil {
			p.evidence(*one.kept, Answer{Decision: wire.Accepted})
		}
		p.bound(w, one, dead)
	}
	return nil
}

// lives proves that it was the withdrawal that was seen: the sibling lives, and so does somebody else. The control after.
func (p *Pass) lives(ctx context.Context, w Withdrawal) error {
	if p.Stack.Rules.NoTwin {
		return nil
	}
	if w.Alive != nil {
		err := p.Opens(ctx, *w.Alive)
		if err != nil {
			return CannotTell("somebody else's good call died too, so it was an outage: %v", err)
		}
	}
	if w.Sibling != nil && !p.Stack.Rules.ExpiryCounts {
		err := p.Opens(ctx, *w.Sibling)
		if ends := TokenExpires(*w.Sibling); err != nil && !ends.IsZero() && !time.Now().Before(ends) {
			return CannotTell("the unrevoked twin expired before the watch was over, so nothing shows that the client lives on; raise the token's life or lower limits.patience")
		}
		if err != nil {
			return CannotTell("the unrevoked twin of the same client died too, so the whole client went: %v", err)
		}
	}
	for _, other := range w.Beside {
		err := p.Opens(ctx, other)
		if err != nil {
			return CannotTell("%s died too, so it was not the withdrawal that was seen: %v", other.Name, err)
		}
	}
	return nil
}

func (p *Pass) bound(w Withdrawal, one *watch, dead error) {
	b := &one.bound
	if !one.lastAccepted.IsZero() {
		b.Low = max(0, one.lastAccepted.Sub(one.done))
	}
	if one.firstRefused.IsZero() {
		b.Never = true
	} else {
		b.High = one.firstRefused.Sub(one.sent)
	}
	if p.Stack.Rules.TimesArePoints && !b.Never {
		b.Low = b.High
	}
	expires := time.Time{}
	if w.Expires != nil {
		expires = w.Expires(one.call)
	}
	b.Expired = !expires.IsZero() && !b.Never && one.firstRefused.After(expires.Add(-p.Limits.ClockSkew.D()))
	if p.Stack.Rules.ExpiryCounts {
		b.Expired = false
	}
	if one.asked > 0 {
		b.Control = fmt.Sprintf("%s accepted, %d of %d", w.beside(one.call.Point).Name, one.open, one.asked)
	}
	expected := fmt.Sprintf("refused within %v", w.Limit)
	switch {
	case b.Probes == 0:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, "", "", "it was not probed")
	case b.Accepted == 0 && b.Never:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, "", "", "no probe was decided: "+one.why)
	case b.Low > w.Limit:
		b.Outcome = logbook.Fail
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "")
	case dead != nil:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, "", "", dead.Error())
	case one.outage != "" && b.Never:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, "", "", one.outage)
	case b.Expired && b.High > w.Limit:
		b.Outcome = logbook.Fail
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "")
	case one.unheld:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "it was refused, and then for too long it could not be told: "+one.why)
	case !b.Never && b.High <= w.Limit:
		b.Outcome = logbook.Pass
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "")
	default:
		b.Outcome = logbook.Inconclusive
		p.Case(one.name, b.Outcome, expected, b.Describe(), "", "the bounds lie on both sides of the limit: "+b.Describe())
	}
	if one.call.Point != nil {
		p.Where(one.call.Point.Name)
	}
	p.observation.Bounds = append(p.observation.Bounds, *b)
}
