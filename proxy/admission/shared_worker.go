// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// batch is what travels in one call.
type batch struct {
	corrections []correction
	requests    []*request
}

// run is the worker: it carries what is pending to the store, refreshes the counts, and brings them
// back after an outage. It closes joined after the first attempt to register.
func (s *sharedLimits) run(ctx context.Context, joined chan<- struct{}) {
	defer close(s.done)
	s.beat(ctx)
	close(joined)

	for {
		pause := s.cfg.Heartbeat
		if !s.isUp() {
			pause = s.cfg.Retry
		}
		// Every call refreshes the counts, so the heartbeat is due only after a pause without any.
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			s.leave(ctx)
			return
		case <-s.wake:
			timer.Stop()
			s.flush(ctx)
		case <-timer.C:
			s.beat(ctx)
		}
	}
}

// beat refreshes the counts, or tries to register them while the store is down.
func (s *sharedLimits) beat(ctx context.Context) {
	if !s.isUp() {
		if !s.register(ctx) {
			return
		}
	} else if !s.exchange(ctx, batch{}) {
		return
	}
	s.flush(ctx)
}

// flush carries everything that is pending to the store.
func (s *sharedLimits) flush(ctx context.Context) {
	for s.isUp() && ctx.Err() == nil {
		b := s.take()
		if len(b.corrections) == 0 && len(b.requests) == 0 {
			return
		}
		if !s.exchange(ctx, b) {
			return
		}
	}
}

// take removes the next batch from what is pending. Claims are decided only once the store knows all
// that was released before.
func (s *sharedLimits) take() batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.queue), maxAsks)
	var b batch
	for _, req := range s.queue[:n] {
		if req.abandoned {
			s.count(req.claim, 1)
			continue
		}
		b.requests = append(b.requests, req)
	}
	s.queue = slices.Delete(s.queue, 0, n)
	for field, n := range s.pending {
		if len(b.corrections) == maxCorrections {
			break
		}
		b.corrections = append(b.corrections, correction{field, n})
		delete(s.pending, field)
	}
	if len(s.pending) > 0 {
		s.queue = slices.Insert(s.queue, 0, b.requests...)
		b.requests = nil
	}
	return b
}

// exchange makes one call and deals with its outcome. It reports whether to go on.
func (s *sharedLimits) exchange(ctx context.Context, b batch) bool {
	claims := make([]claim, len(b.requests))
	for i, req := range b.requests {
		claims[i] = req.claim
	}
	callCtx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	verdicts, err := s.store.Apply(callCtx, s.epoch, b.corrections, claims)
	cancel()
	switch {
	case err == nil:
		s.retried = false
		s.settle(b.requests, verdicts)
		return true
	case errors.Is(err, errStale) && !s.retried:
		// Not an outage: the store answers. Whoever waits goes on waiting.
		s.retried = true
		s.m.redisFailures.Inc()
		s.log.Warn("Redis has lost the connection counts of this instance; writing them again")
		s.mu.Lock()
		s.queue = slices.Insert(s.queue, 0, b.requests...)
		s.mu.Unlock()
		return s.register(ctx)
	default:
		s.fail(ctx, b.requests, err)
		return false
	}
}

// settle hands out the verdicts.
func (s *sharedLimits) settle(requests []*request, verdicts []Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, req := range requests {
		reason := verdicts[i]
		switch {
		case reason == "":
			s.hold(req.claim, 1)
		case req.abandoned: // refused too late: it is connected
			s.count(req.claim, 1)
		}
		req.verdict <- reason
	}
}

// register begins a new epoch, in which everything that is held is to be told to the store again. It
// reports whether the store is up: whether it can also run the script, without which nothing is shared.
func (s *sharedLimits) register(ctx context.Context) bool {
	s.epoch++
	callCtx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	err := s.store.Register(callCtx, s.epoch)
	if err == nil {
		_, err = s.store.Apply(callCtx, s.epoch, nil, nil)
	}
	cancel()
	if err != nil {
		s.fail(ctx, nil, err)
		return false
	}
	s.mu.Lock()
	s.up = true
	s.pending = maps.Clone(s.held)
	connections := s.held[totalField]
	s.mu.Unlock()
	s.m.redisUp.Set(1)
	if s.outage {
		s.outage = false
		s.log.Info("Redis is back; connection limits are shared again", "outage", time.Since(s.since), "connections", connections)
	}
	return true
}

// fail goes over to the local limits: whoever waits is admitted.
func (s *sharedLimits) fail(ctx context.Context, requests []*request, err error) {
	s.admitAll(requests)
	s.m.redisUp.Set(0)
	if ctx.Err() != nil {
		return // stopped, which is no failure of the store
	}
	s.retried = false
	s.m.redisFailures.Inc()
	if !s.outage {
		s.outage, s.since = true, time.Now()
		s.m.redisOutages.Inc()
		s.log.Warn("Redis does not answer; connection limits hold for this instance only until it is back", "err", err)
	}
}

// admitAll admits the given requests and all that are queued, and forgets what is pending: the next
// registration writes everything.
func (s *sharedLimits) admitAll(requests []*request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up, s.pending = false, nil
	for _, req := range slices.Concat(requests, s.queue) {
		s.count(req.claim, 1)
		if !req.abandoned {
			s.m.redisUnchecked.Inc()
		}
		req.verdict <- ""
	}
	s.queue = nil
}

// leave removes this instance's counts, so that the others need not wait for them to expire.
func (s *sharedLimits) leave(ctx context.Context) {
	s.admitAll(nil)
	s.m.redisUp.Set(0)
	callCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Timeout)
	defer cancel()
	if err := s.store.Unregister(callCtx); err != nil {
		s.log.Warn("Could not remove the connection counts of this instance from Redis; they expire", "in", s.cfg.TTL, "err", err)
	}
	if err := s.store.Close(); err != nil {
		s.log.Debug("Closing the connection to Redis failed", "err", err)
	}
}

func (s *sharedLimits) isUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.up
}
