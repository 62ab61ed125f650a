package check

import (
	"context"
	"time"

	"github.com/checkride/checkride/internal/cast"
)

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

// timed is the least wait after which a pass goes on without a seat: what it has waited for is now, and those who talk
// would keep it from it on a busy machine.
const timed = time.Second

// waitUnseated gives the seat up for good, and waits.
func (p *Pass) waitUnseated(ctx context.Context, d time.Duration) error {
	p.Stack.waitedFor(d)
	if !p.rooted {
		p.stand()
	}
	return cast.Sleep(ctx, d)
}

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
