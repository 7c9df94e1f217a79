// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"
)

const (
	// maxWaiting bounds the admissions that wait for Redis at a time. Beyond it Redis does not keep up
	// with the handshakes, and the local limits decide.
	maxWaiting = 4096

	// maxAsks and maxCorrections bound one call, and with it the time for which the script holds up
	// Redis: a full one takes half a millisecond with one instance, under 1.5 ms with ten (see
	// BenchmarkScript).
	maxAsks        = 64
	maxCorrections = 512
)

// claim names the shared counters that one connection counts in; empty fields are not counted.
type claim struct {
	ip       string
	app      string
	appLimit int64
}

func (c claim) addTo(counters map[string]int64, n int64) {
	for _, field := range [...]string{totalField, c.ip, c.app} {
		if field != "" {
			add(counters, field, n)
		}
	}
}

// correction is a change to one counter that is not up for decision: a release, or an admission that
// was decided without the store.
type correction struct {
	field string
	n     int64
}

// counterStore holds the counts of all instances. The calls of one instance come one after the other.
type counterStore interface {
	// Register starts this instance's counts anew, at zero, under an epoch. Calls of earlier epochs
	// that are still on their way do nothing from then on.
	Register(ctx context.Context, epoch uint64) error

	// Apply makes the corrections, then decides the claims one by one against the counts of all live
	// instances, and prolongs the life of this one's. It is atomic. errStale: there are no counts of
	// this epoch, and nothing was done.
	Apply(ctx context.Context, epoch uint64, corrections []correction, claims []claim) ([]Reason, error)

	// Unregister removes this instance's counts.
	Unregister(ctx context.Context) error

	// Close ends the connections to the store.
	Close() error
}

// request is an admission that waits for the store.
type request struct {
	claim
	verdict   chan Reason // buffered, so that deciding never blocks; guarded by sharedLimits.mu
	abandoned bool        // the wait was too long: admitted without the store
}

// sharedLimits keeps this instance's counts in the store.
//
// A single worker talks to the store, so its calls have an order, and everything that waits travels in
// one call. What the store should hold for this instance is always known here (held), so that after an
// outage, of whatever kind, the counts are not repaired but written again. Memory is bounded by the
// connections that are open or being admitted.
type sharedLimits struct {
	cfg   RedisConfig
	store counterStore
	m     *figures
	log   log.Logger

	mu      sync.Mutex
	up      bool             // the store holds held - pending
	held    map[string]int64 // per counter: the connections of this instance
	pending map[string]int64 // the part of held that the store does not have yet; only while up
	queue   []*request       // oldest first; only while up
	cancel  context.CancelFunc
	stopped bool

	wake chan struct{} // one token: there is something pending
	done chan struct{} // closed when the worker has ended

	// Owned by the worker.
	epoch   uint64
	outage  bool // logged and not over
	since   time.Time
	retried bool // registered again, and no call has succeeded since
}

func newSharedLimits(cfg RedisConfig, store counterStore, m *figures, logger log.Logger) *sharedLimits {
	return &sharedLimits{
		cfg: cfg, store: store, m: m, log: logger,
		held: make(map[string]int64),
		wake: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
}

func (s *sharedLimits) start(ctx context.Context) error {
	joined := make(chan struct{})
	if err := s.launch(ctx, joined); err != nil {
		return err
	}
	<-joined
	return nil
}

func (s *sharedLimits) launch(ctx context.Context, joined chan<- struct{}) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return ErrStopped
	case s.cancel != nil:
		return ErrStarted
	}
	ctx, s.cancel = context.WithCancel(ctx)
	go s.run(ctx, joined)
	return nil
}

func (s *sharedLimits) stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	cancel := s.cancel
	s.mu.Unlock()
	if cancel == nil {
		return s.store.Close()
	}
	cancel()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// acquire asks the store for a place, and admits without it if it is down or does not answer in time.
func (s *sharedLimits) acquire(c claim) Reason {
	s.mu.Lock()
	if !s.up || len(s.queue) >= maxWaiting {
		s.count(c, 1)
		s.mu.Unlock()
		s.m.redisUnchecked.Inc()
		return ""
	}
	req := &request{claim: c, verdict: make(chan Reason, 1)}
	s.queue = append(s.queue, req)
	s.mu.Unlock()
	s.signal()

	timer := time.NewTimer(s.cfg.Timeout)
	defer timer.Stop()
	select {
	case reason := <-req.verdict:
		return reason
	case <-timer.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case reason := <-req.verdict: // decided between the timer and the lock
		return reason
	default:
	}
	req.abandoned = true
	s.m.redisUnchecked.Inc()
	return ""
}

// release gives the place back, now or once the store is back.
func (s *sharedLimits) release(c claim) {
	s.mu.Lock()
	s.count(c, -1)
	up := s.up
	s.mu.Unlock()
	if up {
		s.signal()
	}
}

// count changes what this instance holds, and what the store has to be told. The caller has the lock.
// A connection that is released before its own late admission is counted goes through -1 to 0.
func (s *sharedLimits) count(c claim, n int64) {
	s.hold(c, n)
	if s.up {
		c.addTo(s.pending, n)
	}
}

// hold changes what this instance holds where the store knows already. The caller has the lock.
func (s *sharedLimits) hold(c claim, n int64) { c.addTo(s.held, n) }

func (s *sharedLimits) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
