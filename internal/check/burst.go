package check

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// Burst is what came of many requests of one client at once.
type Burst struct {
	Sent   int
	Took   time.Duration // from the first sending to the last answer
	Held   wire.Exchange // the first that was not accepted; Serial is 0 where all were
	Answer Answer        // what that said
}

// Bursts makes a call again and again, as many at a time as pace.concurrency lets through and held by no pace, until one
// is not accepted, and most times at most. A check that does so is of the class load.
func (p *Pass) Bursts(ctx context.Context, call Call, most int) (Burst, error) {
	call = call.With(func(r *wire.Request) { r.Over.Fresh = false }) // a handshake for each would be no burst
	var mu sync.Mutex                                                // held for computing only
	var burst Burst
	var failed error
	var first, last time.Time
	another := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil || burst.Held.Serial != 0 || burst.Sent == most {
			return false
		}
		burst.Sent++
		return true
	}
	came := func(x wire.Exchange, answer Answer, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failed = errors.Join(failed, err)
			return
		}
		if first.IsZero() || x.Sent.Before(first) {
			first = x.Sent
		}
		if x.Received.After(last) {
			last = x.Received
		}
		if answer.Decision != wire.Accepted && burst.Held.Serial == 0 {
			burst.Held, burst.Answer = x, answer
		}
	}
	var all sync.WaitGroup
	for range max(1, p.Stack.Plan.Pace.Concurrency) {
		all.Go(func() {
			for another() {
				came(p.Do(ctx, wire.Burst, call))
			}
		})
	}
	all.Wait()
	burst.Took = last.Sub(first)
	return burst, failed
}

// Quotas needs a promise of how often one client may ask, and a client that is under it.
var Quotas = Need{Name: "a quota", Has: func(p *plan.Plan, _ *plan.Point) (Missing, string, string) {
	promised := false
	for _, server := range p.AuthorizationServers {
		promised = promised || server.Quota != nil
	}
	for _, point := range p.Points {
		promised = promised || point.Quota != nil
	}
	partner, _ := p.Client("partner")
	switch {
	case !promised:
		return Absent, "the plan promises no quota of one client (points.quota, authorization_servers.quota)", ""
	case p.Registration.QuotaClient != nil && (p.Registration.Mode != "dcr" || !partner.ID.Empty()):
		return DeclaredGap, "the quotas are of clients with further metadata (registration.quota_client), and the ride registers no partner", "quota (no client)"
	}
	return Present, "", ""
}}
