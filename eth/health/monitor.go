// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"context"
	"sync"
	"time"
)

// Monitor watches the pending state and serves /healthz and /readyz.
type Monitor struct {
	cfg   Config
	begun time.Time

	mu     sync.Mutex
	newest time.Time // when the newest pending state came
	red    string    // the reason answered last

	quit chan struct{}
	wg   sync.WaitGroup
}

// New makes a Monitor. It starts nothing.
func New(cfg Config) *Monitor {
	m := &Monitor{cfg: cfg, begun: time.Now(), quit: make(chan struct{})}
	cfg.Metrics.NewGauge("flashblocks_ready", func() float64 {
		if m.now().Ready {
			return 1
		}
		return 0
	})
	cfg.Metrics.NewGauge("flashblocks_newest_snapshot_age_seconds", func() float64 { return m.age(time.Now()).Seconds() })
	return m
}

// Start begins to watch.
func (m *Monitor) Start(context.Context) error {
	m.wg.Go(m.watch)
	return nil
}

// Stop ends watching and waits for it.
func (m *Monitor) Stop() error {
	close(m.quit)
	m.wg.Wait()
	return nil
}

// watch notes when pending state comes. It subscribes again should it ever fall behind.
func (m *Monitor) watch() {
	for {
		sub := m.cfg.Source.Subscribe()
		open := true
		for open {
			var fresh bool
			select {
			case ev, ok := <-sub.Events():
				open, fresh = ok, ok && ev.Fresh
			case <-m.quit:
				sub.Unsubscribe()
				return
			}
			if fresh {
				m.mu.Lock()
				m.newest = time.Now()
				m.mu.Unlock()
			}
		}
		select {
		case <-m.quit:
			return
		case <-time.After(time.Second): // the overlay has stopped, or the machine is overloaded
		}
	}
}

// now judges the node as it is.
func (m *Monitor) now() readiness {
	m.mu.Lock()
	newest := m.newest
	m.mu.Unlock()
	o := observation{Now: time.Now(), Syncing: m.cfg.Syncing(), Newest: newest, MaxAge: m.cfg.MaxAge}
	if m.cfg.Streams != nil {
		o.Follows, o.Connected = true, m.cfg.Streams()
	}
	r := judge(o)
	r.BlockNumber = m.cfg.Head()
	if s := m.cfg.Source.Snapshot(); s != nil {
		r.Pending = &place{BlockNumber: s.Number(), Index: s.Index}
	}
	return r
}

// age is how long ago the newest pending state came, or as long as none has, how long it has been waited for: zero
// would look like the best of all.
func (m *Monitor) age(now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest.IsZero() {
		return now.Sub(m.begun)
	}
	return now.Sub(m.newest)
}
