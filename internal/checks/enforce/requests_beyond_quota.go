package enforce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/check"
	"github.com/checkride/checkride/internal/defect"
	"github.com/checkride/checkride/internal/frameworks"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/wire"
)

// RequestsBeyondQuota lets a client of its own ask more often than the plan promises to let through: twice as often and
// once more, since counters that begin anew with each window rightly let twice as many pass across its end. While the
// client is held off the neighbour calls, who must be let in and in its usual time. Then the client waits as long as it is
// told to, and must be let in again.
//
// RFC 6585 §4: 429 says that too many requests were sent, and MAY say in Retry-After how long to wait. How many are too
// many no standard says, so the plan does.
var RequestsBeyondQuota = &check.Check{
	ID:       "enforce.requests-beyond-quota",
	Title:    "a client that asks more often than its quota is held off for a while, and nobody else is",
	Broken:   "a client that asks more often than its quota is not held off",
	Why:      "one partner's runaway job, or whoever stole its credential, takes the capacity that all partners share",
	Fix:      "count requests by client_id, and answer 429 with Retry-After when there are too many",
	Refs:     []frameworks.Ref{frameworks.RFC(6585, "4"), frameworks.API(4), frameworks.SP80053("SC-5"), frameworks.CSF("PR.IR-03"), frameworks.House()},
	Rows:     []string{"L-TK-18"},
	Severity: logbook.Medium,
	At:       check.WholeStack,
	Needs:    []check.Need{check.Quotas, check.Neighbour},
	Alone:    true,
	Harm:     check.Load,
	Besides:  []*logbook.Breach{othersHeldOff, heldOffTooLong},
	Twin:     defect.Set{QuotaUncounted: true},
	Also:     []defect.Set{{QuotaShutsAddress: true}, {RetryAfterTooSoon: true}},
	Run: func(ctx context.Context, p *check.Pass) error {
		doors, err := quotaDoors(ctx, p)
		if err != nil {
			return err
		}
		var wait time.Duration
		for _, door := range doors { // all are overdrawn before the first is waited for, so that there is one wait
			err = door.overdraw(ctx, p)
			if err != nil {
				return err
			}
		}
		for _, door := range doors {
			wait = max(wait, time.Until(door.again))
		}
		err = p.Wait(ctx, wait)
		if err != nil {
			return err
		}
		for _, door := range doors {
			err = door.afterwards(ctx, p)
			if err != nil {
				return err
			}
		}
		return nil
	},
}

var othersHeldOff = &logbook.Breach{
	Broken:   "a client that asks more often than its quota holds others off, or makes them wait",
	Why:      "it takes no more than one partner's runaway job to stop all others",
	Fix:      "count requests by client_id and not by address or over all",
	Severity: logbook.Medium,
}

var heldOffTooLong = &logbook.Breach{
	Broken:   "a client that was held off is not let in again when it was told to come",
	Why:      "a partner that does as it is told stays shut out, and its next attempt may begin the time anew",
	Fix:      "say in Retry-After how long the client is really held off, and do not count what it asks meanwhile",
	Severity: logbook.Medium,
}

// A quotaDoor is a place that promises a quota: a point, or the token endpoint of the partners' server.
type quotaDoor struct {
	name  string
	quota plan.Quota
	call  check.Call                                    // of the client that asks too often
	other check.Call                                    // of the neighbour
	anew  func(ctx context.Context) (check.Call, error) // the client's call with a token that lives
	again time.Time                                     // when the client may come again; zero: it was not held off
	told  time.Duration                                 // how long it was told to wait
}

// quotaDoors gives the places with a quota. The client is one of the ride's own where it can register.
func quotaDoors(ctx context.Context, p *check.Pass) ([]*quotaDoor, error) {
	client, err := p.Cast.MemberWith(ctx, cast.Partner, cast.Wish{Shared: "asks too often", Metadata: p.Stack.Plan.Registration.QuotaClient})
	if err != nil {
		return nil, err
	}
	neighbour, err := p.Neighbour(ctx)
	if err != nil {
		return nil, err
	}
	var doors []*quotaDoor
	for i := range p.Stack.Plan.Points {
		point := &p.Stack.Plan.Points[i]
		if point.Quota == nil {
			continue
		}
		by := func(ctx context.Context, member *cast.Member) (check.Call, error) {
			token, err := member.Token(ctx, point)
			if err != nil {
				return check.Call{}, err
			}
			return p.CallAt(point, p.Allowed(point), member, token), nil
		}
		door := &quotaDoor{name: point.Name, quota: *point.Quota, anew: func(ctx context.Context) (check.Call, error) { return by(ctx, client) }}
		door.call, err = door.anew(ctx)
		if err != nil {
			return nil, err
		}
		door.other, err = by(ctx, neighbour)
		if err != nil {
			return nil, err
		}
		doors = append(doors, door)
	}
	home := p.Cast.HomeServer()
	if quota := p.Stack.Plan.AuthorizationServers[home].Quota; quota != nil { // the last, so that the tokens for the others are there
		call := p.AtToken(client, client.Usual())
		doors = append(doors, &quotaDoor{
			name: home, quota: *quota, call: call, other: p.AtToken(neighbour, neighbour.Usual()),
			anew: func(context.Context) (check.Call, error) { return call, nil },
		})
	}
	if len(doors) == 0 {
		return nil, check.NotApplicable("no quota is promised at a point or at %s", home)
	}
	return doors, nil
}

// A client that is held off is pushed this often more, with so many requests at most, while the neighbour calls.
const rounds, pushes = 3, 4

func (d *quotaDoor) overdraw(ctx context.Context, p *check.Pass) error {
	most := 2*d.quota.Requests + 1
	switch budget, longest := p.Stack.Plan.Budget.Burst, p.Stack.Plan.LongestWait.D(); {
	case most+rounds*pushes > budget:
		return d.cannotTell(p, "the quota at %s is tried with up to %d requests at once, and budget.burst allows %d; raise it, or give the ride a client with a smaller quota (registration.quota_client)", d.name, most+rounds*pushes, budget)
	case longest > 0 && d.quota.Within.D() > longest:
		return d.cannotTell(p, "the quota at %s is over %s, which is longer than longest_wait (%v): whether the client is let in again would not be seen", d.name, d.quota.Within.D(), longest)
	}
	err := p.Opens(ctx, d.call)
	if err != nil {
		return err
	}
	usual, err := d.neighbours(ctx, p, rounds)
	if err != nil {
		return err
	}
	if usual.refused != nil {
		return d.cannotTell(p, "the neighbour is not let in at %s before anybody asks too often: %s", d.name, usual.refused.why)
	}
	burst, err := p.Bursts(ctx, d.call, most)
	if err != nil {
		return err
	}
	held := d.judge(p, burst)
	if !held {
		return nil
	}
	return d.meanwhile(ctx, p, usual.slowest)
}

// cannotTell leaves a place out; the others can be told all the same.
func (d *quotaDoor) cannotTell(p *check.Pass, format string, values ...any) error {
	p.Case("beyond the quota at "+d.name, logbook.Inconclusive, "", "", "", fmt.Sprintf(format, values...))
	return nil
}

// judge says what came of the burst, and gives whether the client is held off.
func (d *quotaDoor) judge(p *check.Pass, burst check.Burst) bool {
	name := "beyond the quota at " + d.name
	expected := fmt.Sprintf("held off beyond %d requests in %v", d.quota.Requests, d.quota.Within.D())
	x, within := burst.Held, d.quota.Within.D()
	switch {
	case x.Serial == 0 && burst.Took <= within:
		p.Case(name, logbook.Fail, expected, fmt.Sprintf("%d requests in %v, each accepted", burst.Sent, burst.Took.Round(time.Millisecond)), "", "")
		p.Where(d.name)
		return false
	case x.Serial == 0:
		p.Case(name, logbook.Inconclusive, expected, "", "", fmt.Sprintf("%d requests took %v at %s, longer than the %v of the quota: they could be sent no faster, or are slowed down; let the ride have a client with a smaller quota", burst.Sent, burst.Took.Round(time.Millisecond), d.name, within))
		return false
	case !comeLater(x) && burst.Answer.Decision == wire.Unknown:
		p.Case(name, logbook.Inconclusive, expected, "", "", fmt.Sprintf("request %d at once at %s could not be decided: %s", burst.Sent, d.name, burst.Answer.Why))
		return false
	case x.Status != 429:
		p.Note("%s holds off with %s; 429 would tell the client that it has to wait and nothing else is wrong (RFC 6585 §4)", d.name, burst.Answer.Why)
	}
	if !d.heldOff(x) {
		p.Note("%s does not tell in Retry-After how long to wait (RFC 6585 §4: MAY)", d.name)
	}
	p.Case(name, logbook.Pass, expected, fmt.Sprintf("%s when %d requests were sent", burst.Answer.Why, burst.Sent), "", "")
	return true
}

// meanwhile lets the neighbour call while the client is held off.
func (d *quotaDoor) meanwhile(ctx context.Context, p *check.Pass, usual time.Duration) error {
	var slowest time.Duration
	var refused *refusal
	beside, calls := false, 0
	for ; calls < rounds && refused == nil; calls++ {
		var pushed check.Burst
		var failed error
		var together sync.WaitGroup
		together.Go(func() { pushed, failed = p.Bursts(ctx, d.call, pushes) })
		got, err := d.neighbours(ctx, p, 1)
		together.Wait()
		if err = errors.Join(err, failed); err != nil {
			return err
		}
		slowest, refused = max(slowest, got.slowest), got.refused
		if pushed.Held.Serial != 0 {
			beside = true
			d.heldOff(pushed.Held)
		}
	}
	defer p.Besides(othersHeldOff)()
	name, expected := "the neighbour meanwhile at "+d.name, "accepted, in its usual time"
	switch bound := 4*usual + time.Second; {
	case refused != nil && refused.clear:
		p.Case(name, logbook.Fail, expected, "the neighbour is held off as well: "+refused.why, "", "")
		p.Where(d.name)
	case refused != nil:
		p.Case(name, logbook.Inconclusive, expected, "", "", "a call of the neighbour at "+d.name+" could not be decided: "+refused.why)
	case !beside:
		p.Case(name, logbook.Inconclusive, expected, "", "", "the client was let in again at "+d.name+" before the neighbour could call")
	case slowest > bound:
		p.Case(name, logbook.Fail, expected, fmt.Sprintf("the neighbour waits %v, and %v before", slowest.Round(time.Millisecond), usual.Round(time.Millisecond)), "", "")
		p.Where(d.name)
	default:
		p.Case(name, logbook.Pass, expected, fmt.Sprintf("%d calls accepted", calls), "", "")
	}
	return nil
}

// heldOff keeps how long the client is told to wait, and gives whether it is told at all.
func (d *quotaDoor) heldOff(x wire.Exchange) bool {
	told, known := x.RetryAfter()
	if !known {
		told = d.quota.Within.D()
	}
	d.told, d.again = told, x.Received.Add(told)
	return known
}

// calm is how the neighbour fares.
type calm struct {
	slowest time.Duration
	refused *refusal // the first call that was not accepted; nil: none
}

type refusal struct {
	why   string
	clear bool // and not a bad moment
}

// neighbours lets the neighbour call n times.
func (d *quotaDoor) neighbours(ctx context.Context, p *check.Pass, n int) (calm, error) {
	var found calm
	for range n {
		x, answer, err := p.Do(ctx, wire.Control, d.other)
		if err != nil {
			return found, err
		}
		found.slowest = max(found.slowest, x.Received.Sub(x.Sent))
		if answer.Decision != wire.Accepted {
			found.refused = &refusal{why: answer.Why, clear: answer.Decision != wire.Unknown || comeLater(x)}
			return found, nil
		}
	}
	return found, nil
}

// comeLater says whether an answer tells to come later (RFC 6585 §4; RFC 9110 §15.6.4).
func comeLater(x wire.Exchange) bool {
	return x.Status == 429 || x.Status == 503
}

// afterwards asks that the client is let in again once it has waited as long as it was told.
func (d *quotaDoor) afterwards(ctx context.Context, p *check.Pass) error {
	if d.again.IsZero() {
		return nil
	}
	defer p.Besides(heldOffTooLong)()
	call, err := d.anew(ctx) // its token may have ended meanwhile
	if err != nil {
		return err
	}
	name, expected := "afterwards at "+d.name, fmt.Sprintf("accepted again after %v", d.told)
	for {
		x, answer, err := p.Do(ctx, wire.Control, call)
		if err != nil {
			return err
		}
		late := time.Since(d.again)
		switch {
		case answer.Decision == wire.Accepted:
			p.Case(name, logbook.Pass, expected, answer.Why, "", "")
			return nil
		case late > p.Limits.Settle.D() && answer.Decision == wire.Unknown && !comeLater(x):
			p.Case(name, logbook.Inconclusive, expected, "", "", "whether the client is let in again at "+d.name+" could not be decided: "+answer.Why)
			return nil
		case late > p.Limits.Settle.D() && !call.Token.Expires.IsZero() && !time.Now().Before(call.Token.Expires):
			p.Case(name, logbook.Inconclusive, expected, "", "", "the client's token for "+d.name+" expired before it could come again")
			return nil
		case late > p.Limits.Settle.D():
			p.Case(name, logbook.Fail, expected, fmt.Sprintf("%s, still %v after that", answer.Why, late.Round(time.Millisecond)), "", "")
			p.Where(d.name)
			return nil
		}
		err = p.Wait(ctx, 200*time.Millisecond)
		if err != nil {
			return err
		}
	}
}
