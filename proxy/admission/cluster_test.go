// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"context"
	"errors"
	"maps"
	"sync"
)

// cluster is a store without Redis, for several instances, that can be made to fail.
type cluster struct {
	mu        sync.Mutex
	instances map[string]*instanceCounts
	err       error // what calls answer, if set
	calls     int   // that were carried out
	global    int64
	perIP     int64
}

type instanceCounts struct {
	epoch  uint64
	counts map[string]int64
}

var errDown = errors.New("down")

func newCluster(cfg Config) *cluster {
	return &cluster{instances: make(map[string]*instanceCounts), global: int64(cfg.GlobalLimit), perIP: int64(cfg.PerIPLimit)}
}

// fail makes all calls fail with the error, nil to end it.
func (c *cluster) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// forget loses everything, like a Redis that is restarted.
func (c *cluster) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.instances)
}

// counts returns what the store has for an instance.
func (c *cluster) counts(id string) map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.instances[id] == nil {
		return nil
	}
	return maps.Clone(c.instances[id].counts)
}

func (c *cluster) sum(field string) (n int64) {
	for _, instance := range c.instances {
		n += instance.counts[field]
	}
	return n
}

// member is the store as one instance sees it.
type member struct {
	*cluster
	id string

	// Hooks of a test, nil for none; guarded by the cluster's lock.
	before func(ctx context.Context) error // runs first; its error is the call's
	after  func() error                    // runs when the call has been carried out
}

func (m *member) setBefore(hook func(ctx context.Context) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = hook
}

func (m *member) setAfter(hook func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after = hook
}

func (m *member) call(ctx context.Context, do func() error) error {
	m.mu.Lock()
	before, after := m.before, m.after
	m.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return err
		}
	}
	m.mu.Lock()
	err := m.err
	if err == nil {
		m.calls++
		err = do()
	}
	m.mu.Unlock()
	if err == nil && after != nil {
		err = after()
	}
	return err
}

func (m *member) Register(ctx context.Context, epoch uint64) error {
	return m.call(ctx, func() error {
		m.instances[m.id] = &instanceCounts{epoch: epoch, counts: make(map[string]int64)}
		return nil
	})
}

func (m *member) Apply(ctx context.Context, epoch uint64, corrections []correction, claims []claim) (verdicts []Reason, err error) {
	err = m.call(ctx, func() error {
		own := m.instances[m.id]
		if own == nil || own.epoch != epoch {
			return errStale
		}
		for _, c := range corrections {
			add(own.counts, c.field, c.n)
		}
		for _, c := range claims {
			reason := Reason("")
			switch {
			case m.global > 0 && m.sum(totalField) >= m.global:
				reason = ReasonGlobal
			case c.ip != "" && m.sum(c.ip) >= m.perIP:
				reason = ReasonPerIP
			case c.app != "" && m.sum(c.app) >= c.appLimit:
				reason = ReasonPerApp
			default:
				c.addTo(own.counts, 1)
			}
			verdicts = append(verdicts, reason)
		}
		return nil
	})
	return verdicts, err
}

func (m *member) Unregister(ctx context.Context) error {
	return m.call(ctx, func() error {
		delete(m.instances, m.id)
		return nil
	})
}

func (m *member) Close() error { return nil }
