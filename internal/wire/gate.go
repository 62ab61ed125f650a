package wire

import (
	"context"
	"sync"
	"time"
)

// gate bounds how often and how many at once one host is asked. Probes go before bulk: a watch that waits behind bulk
// measures the queue and not the stack. A burst is held by neither the pace nor a pause, only by the seats, and comes last.
type gate struct {
	interval time.Duration // between two starts; 0: no pace
	seats    int

	mu     sync.Mutex // held for computing only
	taken  int
	next   time.Time // the earliest start of the next one
	probe  []chan struct{}
	bulk   []chan struct{}
	burst  []chan struct{}
	timer  *time.Timer
	closed bool
}

func newGate(rate float64, seats int) *gate {
	g := &gate{seats: seats}
	if rate > 0 {
		g.interval = time.Duration(float64(time.Second) / rate)
	}
	return g
}

// enter waits for a turn; leave must follow when there is no error.
func (g *gate) enter(ctx context.Context, purpose Purpose) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	turn := make(chan struct{})
	g.mu.Lock()
	switch purpose {
	case Probe:
		g.probe = append(g.probe, turn)
	case Burst:
		g.burst = append(g.burst, turn)
	default:
		g.bulk = append(g.bulk, turn)
	}
	g.admit()
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	if !g.withdraw(turn) {
		g.leave() // the turn came at the same moment
	}
	return context.Cause(ctx)
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken--
	g.admit()
}

// pause lets nobody in for a while.
func (g *gate) pause(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.next) {
		g.next = until
	}
}

// admit lets in whoever may go now, and comes back when the pace allows the next one. The caller holds mu.
func (g *gate) admit() {
	for g.taken < g.seats {
		turn := g.pick()
		if turn == nil {
			return
		}
		close(turn)
		g.taken++
	}
}

// pick takes the turn that may come now out of its queue; nil: none may. The caller holds mu.
func (g *gate) pick() chan struct{} {
	paced := &g.bulk
	if len(g.probe) > 0 {
		paced = &g.probe
	}
	now := time.Now()
	wait := g.next.Sub(now)
	switch {
	case len(*paced) == 0:
	case wait <= 0 || g.closed:
		g.next = now.Add(g.interval)
		return first(paced)
	case g.timer == nil:
		g.timer = time.AfterFunc(wait, g.wake) // when it was paused meanwhile, wake waits again
	}
	return first(&g.burst)
}

func first(queue *[]chan struct{}) chan struct{} {
	if len(*queue) == 0 {
		return nil
	}
	turn := (*queue)[0]
	*queue = (*queue)[1:]
	return turn
}

func (g *gate) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timer = nil
	g.admit()
}

// withdraw takes a waiting turn out of the queue. It says false when the turn has come already.
func (g *gate) withdraw(turn chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, queue := range []*[]chan struct{}{&g.probe, &g.bulk, &g.burst} {
		for i, waiting := range *queue {
			if waiting == turn {
				*queue = append((*queue)[:i:i], (*queue)[i+1:]...)
				return true
			}
		}
	}
	return false
}

// close ends the pace, so that nobody waits for a timer any more.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	g.admit()
}
