package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/canary"
	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/oauth"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// Rules are the rules of truth that this package holds. The zero value holds them all; a test takes one out to show
// that the engine then lies.
type Rules struct {
	NoControls     bool // 1: a refusal counts by itself
	NoDifference   bool // 1: a change that changed nothing is not noticed
	NoElsewhere    bool // 2: the wrong thing need not be right anywhere
	NoTwin         bool // 3: nothing that lives on beside what was withdrawn
	StatusIsProof  bool // 4: status 200 is acceptance
	OddIsUnknown   bool // 5: only 401 and 403 are refusals
	AnyRefuser     bool // 6: whoever refuses counts
	NoRouteProof   bool // 7: a denied route need not exist
	TimesArePoints bool // 8: a latency is one number
	ExpiryCounts   bool // 9: a token that expired counts as revoked
	OneWatch       bool // 10: one token, densely probed, tells all
	ShareSpent     bool // 14: what a check harms is shared with the others
	KeptLines      bool // 12: a kept connection is as good as a fresh one
	NoRepeat       bool // 15: a failed control is not tried again
	SilenceIsPass  bool // 16: what was not decided passes
	NoDedupe       bool // 17: a record delivered twice is two
}

// Stack is what all passes of a ride share.
type Stack struct {
	Plan     *plan.Plan
	Cast     *cast.Cast
	Do       wire.Doer
	Keeper   *secret.Keeper
	Resolver plan.Resolver
	Logs     map[string][]*audit.Log // by the point or server that a log covers
	Record   func(logbook.Entry)
	Keep     func(x wire.Exchange, decision string) // records an exchange together with what it was understood to say
	Since    time.Time
	Seats    *Seats // who talks
	Watches  *Seats // who watches: more would make each other late
	Rules    Rules
	Canary   *canary.Listener // nil: the plan has none

	baselines cast.Facts[refusers]
	forgers   cast.Facts[*forge.Forger]
	routes    cast.Facts[string]

	mu      sync.Mutex
	first   time.Time // when the partner's first call at a point was accepted
	turn    int
	waited  time.Duration
	records uint64
}

// FirstCall is how long after the ride's start the partner's first call at a point was accepted; zero: none was.
func (s *Stack) FirstCall() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() {
		return 0
	}
	return s.first.Sub(s.Since)
}

func (s *Stack) called(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() || at.Before(s.first) {
		s.first = at
	}
}

// LongestWait is the longest single wait that was really waited.
func (s *Stack) LongestWait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waited
}

func (s *Stack) waitedFor(d time.Duration) {
	s.mu.Lock()
	s.waited = max(s.waited, d)
	s.mu.Unlock()
}

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

	settled bool // an outcome stands, which only a worse one replaces

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

// stop ends a story with an outcome that is neither pass nor finding.
type stop struct {
	outcome logbook.Outcome
	because string
	cause   string
}

func (s *stop) Error() string { return s.because }

// NotApplicable ends the story: the stack does not have what the check is about.
func NotApplicable(format string, values ...any) error {
	return &stop{outcome: logbook.NotApplicable, because: fmt.Sprintf(format, values...)}
}

// CannotTell ends the story: never a pass, never a finding.
func CannotTell(format string, values ...any) error {
	return &stop{outcome: logbook.Inconclusive, because: fmt.Sprintf(format, values...)}
}

// BecauseOf ends the story: another check's failure makes this one undecidable. One cause, one finding.
func BecauseOf(id, format string, values ...any) error {
	return &stop{outcome: logbook.Inconclusive, because: fmt.Sprintf(format, values...), cause: id}
}

// Broken says that the tool itself is at fault.
func Broken(format string, values ...any) error {
	return &stop{outcome: logbook.Error, because: fmt.Sprintf(format, values...)}
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

// Opened gives the partner's token for the pass's point and a call that was just accepted with it.
func (p *Pass) Opened(ctx context.Context) (Call, error) {
	partner, err := p.Partner(ctx)
	if err != nil {
		return Call{}, err
	}
	token, err := partner.Token(ctx, p.Point)
	if err != nil {
		return Call{}, err
	}
	call := p.Call(partner, token)
	return call, p.Opens(ctx, call)
}

// Send sends a request on behalf of the check and keeps it as evidence.
func (p *Pass) Send(ctx context.Context, purpose wire.Purpose, request wire.Request) (wire.Exchange, error) {
	return p.through(ctx, purpose, request, p.Stack.Do.Do)
}

func (p *Pass) through(ctx context.Context, purpose wire.Purpose, request wire.Request, do func(context.Context, wire.Request) (wire.Exchange, error)) (wire.Exchange, error) {
	request.Check, request.Purpose = p.Check.ID, purpose
	if request.Point == "" {
		request.Point = p.Name
	}
	if p.Stack.Rules.KeptLines {
		request.Over.Fresh = false
	}
	x, err := do(ctx, request)
	if err == nil {
		p.witness(x)
	}
	return x, err
}

// Do makes a call once and understands the answer.
func (p *Pass) Do(ctx context.Context, purpose wire.Purpose, call Call) (wire.Exchange, Answer, error) {
	if call.Turn != nil {
		end, err := call.Turn(ctx)
		if err != nil {
			return wire.Exchange{}, Answer{}, err
		}
		defer end()
	}
	request, err := call.Make()
	if err != nil {
		return wire.Exchange{}, Answer{}, err
	}
	return p.send(ctx, purpose, call, request)
}

// send sends a request of a call. What dies with a connection that has been used before says nothing: the server may have
// been about to close it, or may refuse in this way. So it is sent again over a fresh one, as an exchange of its own.
func (p *Pass) send(ctx context.Context, purpose wire.Purpose, call Call, request wire.Request) (wire.Exchange, Answer, error) {
	x, answer, err := p.sendOnce(ctx, purpose, call, request)
	if err != nil || x.Failure != wire.Reset || x.Fresh || call.Send != nil || p.Stack.Rules.KeptLines {
		return x, answer, err
	}
	request.Over.Fresh = true
	return p.sendOnce(ctx, purpose, call, request)
}

// sendOnce is for what must not be sent twice.
func (p *Pass) sendOnce(ctx context.Context, purpose wire.Purpose, call Call, request wire.Request) (wire.Exchange, Answer, error) {
	request.Unrecorded = true // it is recorded with what it says
	err := p.mayFail(purpose, call)
	if err != nil {
		return wire.Exchange{}, Answer{}, err
	}
	x, err := p.through(ctx, purpose, request, call.sender(p))
	if err != nil {
		return x, Answer{}, err
	}
	answer := call.Decide(ctx, x)
	p.failed(call, x)
	if answer.Decision == wire.Accepted && call.Point != nil && call.Member != nil && call.Member.Role == cast.Partner && purpose == wire.Control {
		p.Stack.called(x.Received)
	}
	p.Stack.Keep(x, answer.Decision.String())
	return x, answer, nil
}

func (c Call) sender(p *Pass) func(context.Context, wire.Request) (wire.Exchange, error) {
	if c.Send != nil {
		return c.Send
	}
	return p.Stack.Do.Do
}

// mayFail holds the budget of failed authentications: what is sent to be refused at an authorization server may lock the
// client out.
func (p *Pass) mayFail(purpose wire.Purpose, call Call) error {
	if call.Point != nil || call.Member == nil || purpose != wire.Altered && purpose != wire.Probe {
		return nil
	}
	return p.Cast.MayFail(call.Member)
}

func (p *Pass) failed(call Call, x wire.Exchange) {
	if call.Point != nil || call.Member == nil {
		return
	}
	refusal := oauth.ReadError(x)
	if x.Status == http.StatusUnauthorized || refusal != nil && refusal.Code == "invalid_client" {
		p.Cast.Failed(call.Member)
	}
}

// Opens shows that the door opens: the call is accepted now. A control that fails is tried again, three times at most;
// then nothing can be said (rule 15).
func (p *Pass) Opens(ctx context.Context, call Call) error {
	last, err := p.patiently(ctx, call)
	switch {
	case err != nil:
		return err
	case last.Decision == wire.Accepted:
		return nil
	case last.Cached:
		return BecauseOf("enforce.shared-cache", "the control %s was answered by a cache", call.Name)
	}
	return CannotTell("the control %s was not accepted: %s", call.Name, last.Why)
}

// patiently makes a call until it is accepted, three times at most, and gives the last answer.
func (p *Pass) patiently(ctx context.Context, call Call) (Answer, error) {
	for attempt := 1; ; attempt++ {
		_, answer, err := p.Do(ctx, wire.Control, call)
		if err != nil || answer.Decision == wire.Accepted || attempt == 3 || p.Stack.Rules.NoRepeat {
			return answer, err
		}
		err = p.Wait(ctx, time.Duration(attempt)*200*time.Millisecond)
		if err != nil {
			return answer, err
		}
	}
}

// Accepts asserts that a call is accepted, as a promise of the check and not as its control.
func (p *Pass) Accepts(ctx context.Context, call Call, expected string) (bool, error) {
	last, err := p.patiently(ctx, call)
	if err != nil {
		return false, err
	}
	if last.Decision == wire.Unknown || last.Decision == wire.Odd { // a server in trouble has not decided
		return false, CannotTell("%s could not be decided: %s", call.Name, last.Why)
	}
	return p.Holds(expected, last.Decision == wire.Accepted, last.Why), nil
}

// Holds decides one promise over what was recorded: ok or a finding. It gives ok back.
func (p *Pass) Holds(expected string, ok bool, observed string) bool {
	p.observation.Asserted++
	outcome := logbook.Pass
	if !ok {
		outcome = logbook.Fail
	}
	p.settle(outcome, expected, observed, "")
	return ok
}

// Case decides one of several variants that are reported together.
func (p *Pass) Case(name string, outcome logbook.Outcome, expected, observed, differs, because string) {
	if outcome != logbook.NotApplicable && outcome != logbook.Inconclusive {
		p.observation.Asserted++
	}
	p.observation.Cases = append(p.observation.Cases, logbook.Case{Name: name, Outcome: outcome, Observed: observed, Differs: differs, Because: because})
	p.settle(outcome, expected, observed, differs)
	if outcome == logbook.Inconclusive || outcome == logbook.Error {
		p.because(because)
	}
}

// Where says at which points the last case went wrong, if that is elsewhere than at the pass's own place.
func (p *Pass) Where(points ...string) {
	if n := len(p.observation.Cases); n > 0 {
		p.observation.Cases[n-1].Points = points
	}
}

// settle lets an outcome speak for the whole observation if it is worse than what stands.
func (p *Pass) settle(outcome logbook.Outcome, expected, observed, differs string) {
	o := &p.observation
	if !p.settled || rank(outcome) > rank(o.Outcome) {
		p.settled = true
		o.Outcome = outcome
		o.Expected, o.Observed, o.Differs = expected, observed, differs
	}
}

// rank orders outcomes: a finding outweighs what could not be told, which outweighs a pass.
func rank(o logbook.Outcome) int {
	switch o {
	case logbook.Fail:
		return 4
	case logbook.Error:
		return 3
	case logbook.Inconclusive:
		return 2
	case logbook.Pass:
		return 1
	}
	return 0
}

func (p *Pass) because(text string) {
	if text != "" && !strings.Contains(p.observation.Because, text) {
		p.observation.Because = strings.TrimPrefix(p.observation.Because+"; "+text, "; ")
	}
}

// mostNotes bounds how many remarks an observation holds.
const mostNotes = 40

// mostKeys bounds how many published keys are looked at.
const mostKeys = 100

// Note adds a remark to the observation.
func (p *Pass) Note(format string, values ...any) {
	notes := p.observation.Notes
	text := fmt.Sprintf(format, values...)
	switch {
	case len(notes) > mostNotes || slices.Contains(notes, text):
	case len(notes) == mostNotes: // what a server says may give rise to any number of them
		p.observation.Notes = append(notes, "there is more to remark, which is left out")
	default:
		p.observation.Notes = append(notes, text)
	}
}

// Relevant says why a finding matters on this stack.
func (p *Pass) Relevant(format string, values ...any) {
	p.observation.Relevance = fmt.Sprintf(format, values...)
}

// Wait lets time pass. Who waits gives up the seat, so that others can talk.
func (p *Pass) Wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	if longest := p.Stack.Plan.LongestWait.D(); longest > 0 && d > longest {
		return CannotTell("would wait %v, longer than the plan's longest_wait of %v; raise it to have this tested", d.Round(time.Millisecond), longest)
	}
	err := p.waitUnseated(ctx, d)
	if err != nil || p.rooted || d >= timed {
		return err
	}
	return p.sit(ctx)
}

// waitUnseated gives the seat up for good, and waits.
func (p *Pass) waitUnseated(ctx context.Context, d time.Duration) error {
	p.Stack.waitedFor(d)
	if !p.rooted {
		p.stand()
	}
	return cast.Sleep(ctx, d)
}

// timed is the least wait after which a pass goes on without a seat: what it has waited for is now, and those who talk
// would keep it from it on a busy machine.
const timed = time.Second

// Waited counts what has passed since then as one unavoidable wait, though it was waited in pieces: a token's life.
func (p *Pass) Waited(since time.Time) { p.Stack.waitedFor(time.Since(since)) }

func (p *Pass) stand() {
	if p.seated {
		p.Stack.Seats.Leave()
		p.seated = false
	}
}

func (p *Pass) sit(ctx context.Context) error {
	if p.seated {
		return nil
	}
	err := p.Stack.Seats.Take(ctx)
	if err != nil {
		return err
	}
	p.seated = true
	return nil
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

func (p *Pass) conclude(err error) {
	o := &p.observation
	var stopped *stop
	switch {
	case err == nil && o.Asserted == 0 && len(o.Cases) == 0:
		o.Outcome, o.Because = logbook.Error, "the check asserted nothing"
	case err == nil:
	case o.Outcome == logbook.Fail && o.Asserted > 0:
		p.Note("the story ended early: %s", p.Stack.Keeper.Mask(err.Error()))
	case errors.As(err, &stopped) && stopped.outcome == logbook.NotApplicable && o.Outcome != logbook.NotApplicable && len(o.Cases) > 0:
		p.Note("the story ended early: %s", err.Error()) // what was asked before stands
	case errors.As(err, &stopped):
		o.Outcome, o.Cause = stopped.outcome, stopped.cause
		p.because(stopped.because)
	default:
		o.Outcome = logbook.Inconclusive
		p.because(p.Stack.Keeper.Mask(err.Error()))
	}
	if p.Stack.Rules.SilenceIsPass && o.Outcome == logbook.Inconclusive {
		o.Outcome = logbook.Pass
	}
	if o.Outcome == logbook.Fail || o.Outcome == logbook.Pass {
		return
	}
	o.Expected, o.Observed, o.Differs = "", "", ""
}

// Seats bound who talks at the same time.
type Seats struct{ free chan struct{} }

// NewSeats gives n seats.
func NewSeats(n int) *Seats {
	s := &Seats{free: make(chan struct{}, n)}
	for range n {
		s.free <- struct{}{}
	}
	return s
}

// Take waits for a seat.
func (s *Seats) Take(ctx context.Context) error {
	select {
	case <-s.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave gives a seat up.
func (s *Seats) Leave() { s.free <- struct{}{} }

// Forger gives what is needed to forge tokens of the server that a point trusts: its published keys.
func (p *Pass) Forger(ctx context.Context) (*forge.Forger, error) {
	name := p.Cast.TokenServer(p.Point)
	return p.Stack.forgers.Get(ctx, name, func(ctx context.Context) (*forge.Forger, error) {
		server, err := p.Cast.Server(ctx, name)
		if err != nil {
			return nil, err
		}
		x, err := p.Stack.Do.Do(ctx, server.JWKSRequest())
		if err != nil {
			return nil, err
		}
		keys, err := oauth.ReadJWKS(x)
		if err != nil {
			return nil, &cast.FactError{Fact: "the published keys of " + name, Err: err}
		}
		if n := len(oauth.Keys(keys)); n > mostKeys {
			return nil, &cast.FactError{Fact: "the published keys of " + name, Err: fmt.Errorf("they are %d; more than %d are not looked at", n, mostKeys)}
		}
		return forge.New(p.Stack.Keeper, keys), nil
	})
}
