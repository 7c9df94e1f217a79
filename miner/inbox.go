// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"sync"

	"github.com/ethereum/go-ethereum/core/types"
)

// inboxLimit bounds the transactions announced between two refreshes. It is several times what the
// default pool holds; beyond it one walk over the pool is cheaper than the list.
const inboxLimit = 32_768

// inbox gathers the transactions that the pool announces until the job takes them.
type inbox struct {
	mu       sync.Mutex
	txs      []*types.Transaction
	overflow bool
}

// deliver adds announced transactions. Beyond the limit it forgets them all and remembers that it did.
func (b *inbox) deliver(txs []*types.Transaction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.overflow {
		return
	}
	if len(b.txs)+len(txs) > inboxLimit {
		b.txs, b.overflow = nil, true
		return
	}
	b.txs = append(b.txs, txs...)
}

// drain takes everything announced so far, and reports whether some of it was lost.
func (b *inbox) drain() (txs []*types.Transaction, overflow bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	txs, overflow = b.txs, b.overflow
	b.txs, b.overflow = nil, false
	return txs, overflow
}
