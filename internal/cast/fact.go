package cast

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// FactError is a prerequisite that does not hold: the partner cannot be registered, no token can be had. What rests on
// it is inconclusive because of it: one cause, one finding.
type FactError struct {
	Fact string // what was wanted: "partner registered at main"
	Err  error
}

func (e *FactError) Error() string { return fmt.Sprintf("%s: %v", e.Fact, e.Err) }

func (e *FactError) Unwrap() error { return e.Err }

// Once computes a fact at most once, whoever asks first. Waiting is on a channel, never on a mutex, so that a waiter
// can give up and so that a fake clock can move on while the fact is computed.
type Once[T any] struct {
	mu    sync.Mutex
	done  chan struct{}
	value T
	err   error
}

// Get gives the fact, computing it if nobody has. A computation that was cancelled is forgotten: it says nothing.
func (o *Once[T]) Get(ctx context.Context, compute func(context.Context) (T, error)) (T, error) {
	for {
		o.mu.Lock()
		done := o.done
		if done == nil {
			done = make(chan struct{})
			o.done = done
			o.mu.Unlock()
			return o.compute(ctx, done, compute)
		}
		o.mu.Unlock()
		select {
		case <-done:
			o.mu.Lock()
			value, err, forgotten := o.value, o.err, o.done != done
			o.mu.Unlock()
			if forgotten {
				continue // the first one gave up, which says nothing about the fact
			}
			return value, err
		case <-ctx.Done():
			var zero T
			return zero, ctx.Err()
		}
	}
}

// Turn is had by one at a time. Waiting is on a channel, so that a waiter can give up and no mutex is held meanwhile. The
// zero value is free.
type Turn struct {
	mu   sync.Mutex
	free chan struct{} // holds a token while nobody has the turn
}

// Take waits for the turn and gives what ends it.
func (t *Turn) Take(ctx context.Context) (func(), error) {
	t.mu.Lock()
	if t.free == nil {
		t.free = make(chan struct{}, 1)
		t.free <- struct{}{}
	}
	free := t.free
	t.mu.Unlock()
	select {
	case <-free:
		return func() { free <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Facts holds facts by their keys, each computed at most once. The zero value holds none.
type Facts[T any] struct {
	mu    sync.Mutex
	facts map[string]*Once[T]
}

// Get gives the fact of this key, computing it if nobody has ([Once.Get]).
func (f *Facts[T]) Get(ctx context.Context, key string, compute func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	if f.facts == nil {
		f.facts = map[string]*Once[T]{}
	}
	fact := f.facts[key]
	if fact == nil {
		fact = &Once[T]{}
		f.facts[key] = fact
	}
	f.mu.Unlock()
	return fact.Get(ctx, compute)
}

// Forget drops all facts: what they were made of has changed.
func (f *Facts[T]) Forget() {
	f.mu.Lock()
	f.facts = nil
	f.mu.Unlock()
}

func (o *Once[T]) compute(ctx context.Context, done chan struct{}, compute func(context.Context) (T, error)) (T, error) {
	var value T
	err := errors.New("the tool broke while it was found out")
	defer func() { // a panic goes on to whoever asked, and the others must not wait for ever
		o.mu.Lock()
		o.value, o.err = value, err
		if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
			o.done = nil
		}
		o.mu.Unlock()
		close(done)
	}()
	value, err = compute(ctx)
	return value, err
}
