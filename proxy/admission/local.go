// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
)

// shardCount spreads the addresses over locks. Thousands of handshakes a second need only a few.
const shardCount = 64

// localLimits counts the connections of this process. Its memory follows the addresses that are
// connected now: an entry goes with its last connection.
type localLimits struct {
	instance int64
	global   int64
	perIP    int64

	open   atomic.Int64
	seed   maphash.Seed
	shards [shardCount]shard
}

type shard struct {
	mu   sync.Mutex
	open map[netip.Addr]int64 // nil when empty: a map gives no memory back
}

func newLocalLimits(cfg Config) *localLimits {
	return &localLimits{
		instance: int64(cfg.InstanceLimit),
		global:   int64(cfg.GlobalLimit),
		perIP:    int64(cfg.PerIPLimit),
		seed:     maphash.MakeSeed(),
	}
}

// acquire takes a place under every limit, or under none. It returns the limit that fired, or "".
func (l *localLimits) acquire(group netip.Addr, app *application) Reason {
	if reason := l.acquireInstance(); reason != "" {
		return reason
	}
	if !l.acquireIP(group) {
		l.open.Add(-1)
		return ReasonPerIP
	}
	if app != nil && !acquireUpTo(&app.open, app.limit) {
		l.releaseIP(group)
		l.open.Add(-1)
		return ReasonPerApp
	}
	return ""
}

// release gives back what acquire took.
func (l *localLimits) release(group netip.Addr, app *application) {
	if app != nil {
		app.open.Add(-1)
	}
	l.releaseIP(group)
	l.open.Add(-1)
}

// acquireInstance also holds the global limit: what is open here is part of what is open everywhere.
func (l *localLimits) acquireInstance() Reason {
	for {
		open := l.open.Load()
		if l.instance > 0 && open >= l.instance {
			return ReasonInstance
		}
		if l.global > 0 && open >= l.global {
			return ReasonGlobal
		}
		if l.open.CompareAndSwap(open, open+1) {
			return ""
		}
	}
}

func acquireUpTo(counter *atomic.Int64, limit int64) bool {
	for {
		open := counter.Load()
		if limit > 0 && open >= limit {
			return false
		}
		if counter.CompareAndSwap(open, open+1) {
			return true
		}
	}
}

func (l *localLimits) acquireIP(group netip.Addr) bool {
	if l.perIP == 0 {
		return true
	}
	s := l.shard(group)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[group] >= l.perIP {
		return false
	}
	if s.open == nil {
		s.open = make(map[netip.Addr]int64)
	}
	s.open[group]++
	return true
}

func (l *localLimits) releaseIP(group netip.Addr) {
	if l.perIP == 0 {
		return
	}
	s := l.shard(group)
	s.mu.Lock()
	defer s.mu.Unlock()
	add(s.open, group, -1)
	if len(s.open) == 0 {
		s.open = nil
	}
}

func (l *localLimits) shard(group netip.Addr) *shard {
	return &l.shards[maphash.Comparable(l.seed, group)%shardCount]
}

// add changes a counter, and removes it where it becomes zero.
func add[K comparable](counters map[K]int64, key K, n int64) {
	if sum := counters[key] + n; sum != 0 {
		counters[key] = sum
	} else {
		delete(counters, key)
	}
}
