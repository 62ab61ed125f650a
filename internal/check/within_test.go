package check

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/checkride/checkride/internal/cast"
	"github.com/checkride/checkride/internal/logbook"
	"github.com/checkride/checkride/internal/plan"
	"github.com/checkride/checkride/internal/secret"
	"github.com/checkride/checkride/internal/wire"
)

// stage is a stack of one point whose answers a test writes down, by who asks and when, in a bubble of fake time.
type stage struct {
	begun  time.Time // the withdrawal
	answer func(who string, since time.Duration) int
	asked  map[string]int
	serial uint64
}

const roundTrip = 10 * time.Millisecond

// reset and late are answers that are none.
const (
	reset = -1
	late  = -2
)

func (s *stage) Do(_ context.Context, r wire.Request) (wire.Exchange, error) {
	s.serial++
	s.asked[r.Who]++
	x := wire.Exchange{Serial: s.serial, Request: r, Sent: time.Now(), Fresh: r.Over.Fresh}
	since := -time.Second
	if !s.begun.IsZero() {
		since = time.Since(s.begun)
	}
	x.Status = s.answer(r.Who, since)
	time.Sleep(roundTrip)
	x.Received = time.Now()
	switch x.Status {
	case reset:
		x.Status, x.Failure = 0, wire.Reset
	case late:
		x.Status, x.Failure = 0, wire.Timeout
	}
	return x, nil
}

func (s *stage) call(who string, point *plan.Point) Call {
	return Call{
		Name: who, Point: point,
		Make: func() (wire.Request, error) { return wire.Request{Who: who, Method: "GET"}, nil },
		Decide: func(_ context.Context, x wire.Exchange) Answer {
			if answer, failed := decideFailure(x); failed {
				return answer
			}
			decided := map[int]wire.Decision{200: wire.Accepted, 401: wire.Denied, 502: wire.Odd}
			return Answer{Decision: decided[x.Status], Strong: true, Why: "answered"}
		},
	}
}

func (s *stage) pass(t *testing.T) *Pass {
	t.Helper()
	keeper := secret.NewKeeper()
	p := &plan.Plan{Points: []plan.Point{{Name: "edge"}}}
	p.Limits.Patience = plan.Duration(500 * time.Millisecond)
	players, err := cast.New(cast.Config{Plan: p, Do: s, Keeper: keeper})
	if err != nil {
		t.Fatal(err)
	}
	stack := &Stack{
		Plan: p, Cast: players, Do: s, Keeper: keeper, Since: time.Now(), Seats: NewSeats(1), Watches: NewSeats(1),
		Record: func(logbook.Entry) {}, Keep: func(wire.Exchange, string) {},
	}
	return NewPass(stack, &Check{ID: "revoke.test"}, "edge", &p.Points[0])
}

// withdrawal takes trust from one credential that is used once, or watched closely, beside a good call of somebody else.
func (s *stage) withdrawal(p *Pass, sparse bool) Withdrawal {
	beside := s.call("beside", p.Point)
	return Withdrawal{
		What: "token", Limit: 2 * time.Second, Alive: &beside,
		Watched: func(context.Context) ([]Watched, error) {
			return []Watched{{Call: s.call("watched", p.Point), Sparse: sparse}}, nil
		},
		All: func(context.Context) (wire.Exchange, error) {
			x := wire.Exchange{Sent: time.Now(), Received: time.Now(), Status: s.answer("withdraw", 0)}
			s.begun = x.Received
			return x, nil
		},
	}
}

func TestRefusedWithin(t *testing.T) {
	const second = time.Second
	until := func(end time.Duration, since time.Duration, before, after int) int {
		if since < end {
			return before
		}
		return after
	}
	rows := []struct {
		name    string
		sparse  bool
		watched func(since time.Duration) int
		beside  func(since time.Duration) int
		fails   bool // the withdrawal itself
		want    logbook.Outcome
		because string
	}{
		{name: "dies in time", watched: func(d time.Duration) int { return until(second/2, d, 200, 401) }, want: logbook.Pass},
		{name: "dies in time, shot at the limit", sparse: true, watched: func(d time.Duration) int { return until(second/2, d, 200, 401) }, want: logbook.Pass},
		{name: "dies too late", watched: func(d time.Duration) int { return until(2300*time.Millisecond, d, 200, 401) }, want: logbook.Fail},
		{name: "never dies", watched: func(time.Duration) int { return 200 }, want: logbook.Fail},
		{name: "never dies, shot at the limit", sparse: true, watched: func(time.Duration) int { return 200 }, want: logbook.Fail},
		{
			name: "503 from before the limit to the end", want: logbook.Inconclusive,
			watched: func(d time.Duration) int { return until(second, d, 200, 503) },
		},
		{
			name: "503 around the limit, refused after it", want: logbook.Inconclusive,
			watched: func(d time.Duration) int { return until(second, d, 200, until(2200*time.Millisecond, d, 503, 401)) },
		},
		{
			name: "refused once, then 503 for ever", want: logbook.Inconclusive, because: "could not be told",
			watched: func(d time.Duration) int {
				return until(400*time.Millisecond, d, 200, until(700*time.Millisecond, d, 401, 503))
			},
		},
		{
			name: "an outage that heals, and the token never died", want: logbook.Fail,
			watched: func(d time.Duration) int {
				return until(300*time.Millisecond, d, 200, until(1700*time.Millisecond, d, 502, 200))
			},
			beside: func(d time.Duration) int {
				return until(300*time.Millisecond, d, 200, until(1700*time.Millisecond, d, 502, 200))
			},
		},
		{
			name: "an outage from before the limit to after the watch", want: logbook.Inconclusive, because: "outage",
			watched: func(d time.Duration) int { return until(second, d, 200, 401) },
			beside:  func(d time.Duration) int { return until(second, d, 200, until(5*second, d, 401, 200)) },
		},
		{
			name: "an outage at the end after it was accepted too late", want: logbook.Fail,
			watched: func(d time.Duration) int { return until(2300*time.Millisecond, d, 200, 401) },
			beside:  func(d time.Duration) int { return until(2300*time.Millisecond, d, 200, 401) },
		},
		{
			name: "one reset is no refusal", sparse: true, want: logbook.Fail,
			watched: func() func(time.Duration) int {
				resets := 0
				return func(d time.Duration) int {
					if d < second || resets == 2 {
						return 200
					}
					resets++
					return reset
				}
			}(),
		},
		{name: "resets for ever are", sparse: true, watched: func(d time.Duration) int { return until(0, d, 200, reset) }, want: logbook.Pass},
		{name: "time-outs tell nothing", watched: func(d time.Duration) int { return until(0, d, 200, late) }, want: logbook.Inconclusive},
		{name: "the withdrawal is not confirmed", watched: func(time.Duration) int { return 200 }, fails: true, want: logbook.Inconclusive, because: "not confirmed"},
		{
			name: "flaps", want: logbook.Fail,
			watched: func(d time.Duration) int {
				return until(200*time.Millisecond, d, 200, until(900*time.Millisecond, d, 401, 200))
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{asked: map[string]int{}}
				s.answer = func(who string, since time.Duration) int {
					switch {
					case who == "withdraw" && row.fails:
						return 503
					case who == "beside" && row.beside != nil:
						return row.beside(since)
					case who == "watched":
						return row.watched(since)
					}
					return 200
				}
				p := s.pass(t)
				p.Check.Run = func(ctx context.Context, p *Pass) error { return p.RefusedWithin(ctx, s.withdrawal(p, row.sparse)) }
				o := p.Run(context.Background())
				if o.Outcome != row.want || !strings.Contains(o.Because, row.because) {
					t.Errorf("%v, want %v; observed %s; because %s (want %q)", o.Outcome, row.want, o.Observed, o.Because, row.because)
				}
			})
		})
	}
}

// Where the bounds lie on both sides of the limit, the watch is repeated with probes nearer to it (rule 8).
func TestAStraddledLimitIsWatchedAgainNearby(t *testing.T) {
	for dies, want := range map[time.Duration]logbook.Outcome{
		1900 * time.Millisecond: logbook.Pass,
		1995 * time.Millisecond: logbook.Inconclusive, // nearer than two round trips nothing can be told
		2050 * time.Millisecond: logbook.Fail,
	} {
		t.Run(dies.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{asked: map[string]int{}}
				s.answer = func(who string, since time.Duration) int {
					if who == "watched" && since >= dies {
						return 401
					}
					return 200
				}
				p := s.pass(t)
				p.Check.Run = func(ctx context.Context, p *Pass) error {
					w := s.withdrawal(p, true)
					w.Anew = func(context.Context) (Withdrawal, error) {
						s.begun = time.Time{}
						return s.withdrawal(p, true), nil
					}
					return p.RefusedWithin(ctx, w)
				}
				o := p.Run(context.Background())
				if o.Outcome != want {
					t.Errorf("%v, want %v; observed %s; because %s; notes %v", o.Outcome, want, o.Observed, o.Because, o.Notes)
				}
			})
		})
	}
}
