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
	arrived chan struct{} // holds a signal while something is in the inbox

	mu       sync.Mutex // guards the fields below
	txs      []*types.Transaction
	gas      uint64 // sum of their gas limits
	overflow bool
}

func newInbox() *inbox { return &inbox{arrived: make(chan struct{}, 1)} }

// deliver adds announced transactions. Beyond the limit it forgets them all and remembers that it did.
func (b *inbox) deliver(txs []*types.Transaction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.overflow {
		return
	}
	if len(b.txs)+len(txs) > inboxLimit {
		b.txs, b.overflow = nil, true
	} else {
		b.txs = append(b.txs, txs...)
	}
	for _, tx := range txs {
		b.gas += tx.Gas()
	}
	b.signal()
}

// lose notes that the pool has announced what nobody heard.
func (b *inbox) lose() {
	b.close()
	b.signal()
}

// signal wakes whoever waits for something to arrive.
func (b *inbox) signal() {
	select {
	case b.arrived <- struct{}{}:
	default:
	}
}

// close forgets everything announced, now and until the next drain, which tells.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.txs, b.overflow = nil, true
}

// waiting is the sum of the gas limits of what was announced since the last drain.
func (b *inbox) waiting() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gas
}

// drain takes everything announced so far, and reports whether some of it was lost.
func (b *inbox) drain() (txs []*types.Transaction, overflow bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	txs, overflow = b.txs, b.overflow
	b.txs, b.gas, b.overflow = nil, 0, false
	return txs, overflow
}
