package check

import (
	"sync"
	"time"

	"github.com/checkride/checkride/internal/audit"
	"github.com/checkride/checkride/internal/canary"
	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/forge"
	"github.com/checkride/checkride/internal/logbook"
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
	Baits    *Seats // who looks who comes to its baits
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
