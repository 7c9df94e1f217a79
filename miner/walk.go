// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"slices"
	"sync"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
)

// pool is what can be walked.
type pool interface {
	Pending(filter txpool.PendingFilter) (map[common.Address][]*txpool.LazyTransaction, int)
}

// walks are the walks over the pool. One takes the pool's lock for as long as it lasts, which is tens of
// milliseconds with tens of thousands of transactions, and every sender of a transaction waits for it. So
// the payloads on one parent share one walk, and what the pool announced since: attributes that come every
// few milliseconds cost the pool nothing.
type walks struct {
	pool    pool
	deliver func() bool // waits until everything that the pool has announced so far was taken in, false if nobody listens

	walking sync.Mutex // held while the pool is walked

	mu      sync.Mutex // guards the fields below
	valid   bool
	key     walkKey
	pending map[common.Address][]*txpool.LazyTransaction // never written to
	since   []*types.Transaction                         // announced since the walk began
}

// walkKey is what a walk is good for.
type walkKey struct {
	parent common.Hash
	filter txpool.PendingFilter
}

// equal compares what the builder sets of a filter.
func (k *walkKey) equal(other *walkKey) bool {
	a, b := &k.filter, &other.filter
	return k.parent == other.parent && a.GasLimitCap == b.GasLimitCap &&
		same(a.MinTip, b.MinTip, (*uint256.Int).Eq) && same(a.BaseFee, b.BaseFee, (*uint256.Int).Eq) &&
		same(a.MaxDATxSize, b.MaxDATxSize, equalInts)
}

// same compares two optional values.
func same[T any](a, b *T, equal func(a, b *T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(a, b)
}

// walk returns what the pool held, which must not be modified, and what it announced since then and before
// the call. It walks if that was not done for the key yet, or again if the caller has lost announcements.
func (w *walks) walk(key walkKey, again bool) (pending map[common.Address][]*txpool.LazyTransaction, since []*types.Transaction) {
	w.walking.Lock()
	defer w.walking.Unlock()
	heard := w.deliver()
	w.mu.Lock()
	if heard && w.valid && !again && w.key.equal(&key) {
		pending, since = w.pending, slices.Clip(w.since)
		w.mu.Unlock()
		return pending, since
	}
	w.valid, w.key, w.pending, w.since = heard, key, nil, nil
	w.mu.Unlock()
	pending, _ = w.pool.Pending(key.filter)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.valid {
		w.pending = pending
	}
	return pending, nil // what was announced meanwhile reaches the caller as everything else does
}

// announced takes in what the pool has announced. After too much of it the next payload walks again.
func (w *walks) announced(txs []*types.Transaction) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.valid {
		return
	}
	if len(w.since)+len(txs) > inboxLimit {
		w.forget()
		return
	}
	w.since = append(w.since, txs...)
}

// close lets go of the last walk.
func (w *walks) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget()
}

// forget assumes that the lock is held.
func (w *walks) forget() { w.valid, w.pending, w.since = false, nil, nil }
