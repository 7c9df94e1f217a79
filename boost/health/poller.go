// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"context"
	"errors"
	"sync"
	"time"
)

// retryInterval is how often a backend is asked that is not well. An outage must not look a minute
// longer than it is, and a request per second is nothing to a backend that has recovered.
const retryInterval = time.Second

// errStarted is returned by a second Start.
var errStarted = errors.New("health: already started")

// Source asks a backend for the timestamp of its latest block.
type Source func(ctx context.Context) (time.Time, error)

// PollerConfig configures a Poller.
type PollerConfig struct {
	Tracker *Tracker
	L2      Source
	Builder Source // Nil without a builder

	L2Timeout      time.Duration // For one poll
	BuilderTimeout time.Duration
}

// Poller asks every backend for its latest block: a healthy one every Config.Interval, another every
// second, and one that left a call unanswered at once. Each backend has a goroutine of its own, so
// that a builder that hangs delays nothing but its own polls.
type Poller struct {
	cfg  PollerConfig
	stop context.CancelFunc
	done sync.WaitGroup
}

// NewPoller returns a Poller that asks nobody yet.
func NewPoller(cfg PollerConfig) *Poller { return &Poller{cfg: cfg} }

// Start begins to ask, at once. The end of ctx has the effect of Stop, except that nothing waits.
func (p *Poller) Start(ctx context.Context) error {
	if p.stop != nil {
		return errStarted
	}
	ctx, p.stop = context.WithCancel(ctx)
	var first sync.WaitGroup
	follow := func(which Which, source Source, timeout time.Duration) {
		first.Add(1)
		p.done.Go(func() { p.follow(ctx, which, source, timeout, first.Done) })
	}
	follow(L2, p.cfg.L2, p.cfg.L2Timeout)
	if p.cfg.Builder != nil {
		follow(Builder, p.cfg.Builder, p.cfg.BuilderTimeout)
	}
	p.done.Go(func() {
		first.Wait()
		p.cfg.Tracker.begin()
	})
	return nil
}

// Stop ends polling and waits for the polls in progress, which it cancels.
func (p *Poller) Stop() {
	if p.stop == nil {
		return
	}
	p.stop()
	p.done.Wait()
}

// follow asks one backend until ctx ends. It calls asked after the first time.
func (p *Poller) follow(ctx context.Context, which Which, source Source, timeout time.Duration, asked func()) {
	tracker := p.cfg.Tracker
	asked = sync.OnceFunc(asked)
	defer asked()
	for {
		if which == L2 || tracker.cfg.BuilderUsed() {
			p.ask(ctx, which, source, timeout)
		}
		asked()
		timer := time.NewTimer(p.pause(which))
		select {
		case <-timer.C:
		case <-tracker.doubts[which]:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// ask polls one backend once.
func (p *Poller) ask(ctx context.Context, which Which, source Source, timeout time.Duration) {
	bound, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	head, err := source(bound)
	switch {
	case ctx.Err() != nil: // the end of the Poller says nothing about the backend
	case err != nil:
		p.cfg.Tracker.cfg.Log.Debug("Backend was asked for its latest block in vain", "backend", which, "err", err)
		p.cfg.Tracker.ObservePollFailure(which)
	default:
		p.cfg.Tracker.ObserveHead(which, head)
	}
}

// pause is the time until the next poll.
func (p *Poller) pause(which Which) time.Duration {
	t := p.cfg.Tracker
	if (which == L2 || t.cfg.BuilderUsed()) && !t.unwell(which) {
		return t.cfg.Interval
	}
	return min(retryInterval, t.cfg.Interval)
}
