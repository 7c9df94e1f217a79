// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Which tells the backends apart.
type Which uint8

const (
	// L2 is the local execution layer.
	L2 Which = iota
	// Builder is the external builder.
	Builder

	backends = 2
)

// String is the backend's name in logs and metrics.
func (w Which) String() string {
	if w == Builder {
		return "builder"
	}
	return "l2"
}

// codeInternal and what lies between codeServerMost and codeServerLeast are JSON-RPC's codes for failures of
// the server's own. Every other code is an answer about the request.
const (
	codeInternal    = -32603
	codeServerLeast = -32099
	codeServerMost  = -32000
)

// TrackerConfig configures a Tracker.
type TrackerConfig struct {
	Config

	// BuilderUsed reports whether the builder matters now: there is one and the mode is not disabled.
	BuilderUsed func() bool

	// IgnoreUnhealthy makes MayBuild withhold builds from a builder that is not healthy.
	IgnoreUnhealthy bool

	Metrics *metrics.Set     // Nil for a private set
	Log     log.Logger       // Nil for the root logger
	Now     func() time.Time // Nil for time.Now
}

// Tracker collects observations. All methods may be called from any goroutine, and none waits.
type Tracker struct {
	cfg    TrackerConfig
	doubts [backends]chan struct{} // a backend that answered so far did not: ask it now
	asked  chan struct{}           // closed when every backend has been asked once

	mu     sync.Mutex
	seen   Observations
	logged bool   // anything yet
	told   Status // as last logged
}

// NewTracker returns a Tracker that has seen nothing. Its status is ServiceUnavailable, but see
// Handler: nobody is told before the first poll has ended.
func NewTracker(cfg TrackerConfig) *Tracker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = log.Root()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	t := &Tracker{cfg: cfg, asked: make(chan struct{})}
	for i := range t.doubts {
		t.doubts[i] = make(chan struct{}, 1)
	}
	cfg.Metrics.GetOrCreateGauge("flashboost_health_status", func() float64 {
		status, _ := t.Status()
		return float64(status.Code())
	})
	for _, which := range []Which{L2, Builder} {
		cfg.Metrics.GetOrCreateGauge(`flashboost_health_head_age_seconds{backend="`+which.String()+`"}`, func() float64 {
			return t.headAge(which)
		})
	}
	return t
}

// Status judges now. The text says why it is not Healthy.
func (t *Tracker) Status() (status Status, why string) {
	idle := !t.cfg.BuilderUsed() // outside the lock: it is the caller's code
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen.BuilderIdle = idle
	return Evaluate(&t.seen, t.cfg.Now(), t.cfg.Config)
}

// MayBuild reports whether the builder should be asked for a block. Only --ignore-unhealthy-builders
// makes it false, and nothing but builds is withheld: newPayload and forkchoiceUpdated without attributes
// always go to the builder, so that it can catch up and be seen to.
func (t *Tracker) MayBuild() bool {
	if !t.cfg.IgnoreUnhealthy {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := t.seen
	seen.BuilderIdle = false // that is the mode's matter
	return MayBuild(&seen, t.cfg.Now(), t.cfg.Config)
}

// ObserveHead takes in what a poll found: the timestamp of the backend's latest block.
func (t *Tracker) ObserveHead(which Which, head time.Time) {
	t.observe(which, func(b *Backend, now time.Time) {
		b.Head = Head{At: now, Time: head}
		b.Unanswered = Streak{}
	})
}

// ObservePollFailure takes in that a poll got no answer, or none that tells a timestamp.
func (t *Tracker) ObservePollFailure(which Which) {
	t.observe(which, func(b *Backend, now time.Time) { b.Unanswered.fail(now) })
}

// neutral are errors that say nothing about a backend: its caller hung up, or it was never asked.
var neutral = []error{
	context.Canceled, backend.ErrCanceled, backend.ErrSuperseded, backend.ErrQueueFull, backend.ErrStopped, backend.ErrBusy, backend.ErrClosed,
}

func isNeutral(err error) bool {
	return slices.ContainsFunc(neutral, func(n error) bool { return errors.Is(err, n) })
}

// ObserveCall takes in how a forkchoiceUpdated or newPayload ended: nil for any result, INVALID included, a
// *jsonrpc.Error for an error that the backend answered, else why there was no answer. That the
// caller hung up says nothing.
func (t *Tracker) ObserveCall(which Which, err error) {
	var answer *jsonrpc.Error
	switch {
	case isNeutral(err):
	case err == nil:
		t.observe(which, func(b *Backend, _ time.Time) { b.Unanswered, b.Engine = Streak{}, Streak{} })
	case errors.As(err, &answer):
		own := answer.Code == codeInternal || answer.Code >= codeServerLeast && answer.Code <= codeServerMost
		t.observe(which, func(b *Backend, now time.Time) {
			b.Unanswered = Streak{}
			if own {
				b.Engine.fail(now)
			} else {
				b.Engine = Streak{}
			}
		})
	default:
		t.observe(which, func(b *Backend, now time.Time) {
			b.Unanswered.fail(now)
			b.Engine.fail(now)
		})
	}
}

// ObserveBuild takes in how a build ended that the builder was really asked for: nil if there was a
// block that could be returned, whichever was then chosen. Slots in which it was not asked (noTxPool, unknown
// ids, mode disabled, no builder) are not observed.
func (t *Tracker) ObserveBuild(err error) {
	if isNeutral(err) {
		return
	}
	t.record(func(seen *Observations, now time.Time) {
		if err == nil {
			seen.Builds = Streak{}
			return
		}
		seen.Builds.fail(now)
	})
}

// Poke has a backend polled now.
func (t *Tracker) Poke(which Which) {
	select {
	case t.doubts[which] <- struct{}{}:
	default: // is about to be
	}
}

// observe changes what is known of a backend, and doubts it when it left a call unanswered for the
// first time.
func (t *Tracker) observe(which Which, change func(b *Backend, now time.Time)) {
	t.record(func(seen *Observations, now time.Time) {
		b := &seen.L2
		if which == Builder {
			b = &seen.Builder
		}
		change(b, now)
		if b.Unanswered.Failures == 1 {
			t.Poke(which)
		}
	})
}

// record changes the observations and logs what comes of it.
func (t *Tracker) record(change func(seen *Observations, now time.Time)) {
	idle := !t.cfg.BuilderUsed()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.cfg.Now()
	change(&t.seen, now)
	t.seen.BuilderIdle = idle
	select {
	case <-t.asked:
	default:
		return // at the start nothing is worth a line
	}
	status, why := Evaluate(&t.seen, now, t.cfg.Config)
	if t.logged && status == t.told {
		return
	}
	t.logged, t.told = true, status
	if status == Healthy {
		t.cfg.Log.Info("Sidecar is healthy")
		return
	}
	t.cfg.Log.Warn("Sidecar is not healthy", "status", status.Code(), "why", why)
}

// begin ends the time in which nothing is known.
func (t *Tracker) begin() {
	close(t.asked)
	t.record(func(*Observations, time.Time) {})
}

// unwell reports whether a backend should be asked again soon.
func (t *Tracker) unwell(which Which) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.cfg.Now()
	if which == L2 {
		return t.seen.L2.Unanswered.Failures > 0 || t.cfg.fault(&t.seen.L2, now) != ""
	}
	return t.seen.Builder.Unanswered.Failures > 0 || t.cfg.fault(&t.seen.Builder, now) != "" || t.cfg.fails(t.seen.Builds, now)
}

// headAge is how old the latest block was when it was last asked for, in seconds; 0 if it never was.
func (t *Tracker) headAge(which Which) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	head := t.seen.L2.Head
	if which == Builder {
		head = t.seen.Builder.Head
	}
	return head.At.Sub(head.Time).Seconds()
}
