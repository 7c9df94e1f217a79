// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"context"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// headQueue is the buffer of canonical heads. They are taken at once, whatever is being executed, as the
// chain's import waits for its subscribers.
const headQueue = 16

// watch takes the canonical heads from the chain and passes on only that there was one. What is being
// executed is interrupted if a head made it pointless.
func (p *Processor) watch(ctx context.Context, heads <-chan core.ChainHeadEvent, signal chan<- struct{}) {
	for {
		select {
		case ev := <-heads:
			p.running.supersede(ev.Header.Number.Uint64())
			select {
			case signal <- struct{}{}:
			default:
			}
		case <-ctx.Done():
			p.running.supersede(^uint64(0))
			return
		}
	}
}

// running is what the goroutines around the processor's own share with it.
type running struct {
	current atomic.Pointer[execution]
	newest  atomic.Pointer[hashedHeader]
}

// execution is a flashblock being executed.
type execution struct {
	number uint64
	exec   *miner.Execution
}

// hashedHeader spares hashing the head for every answer.
type hashedHeader struct {
	header *types.Header
	hash   common.Hash
}

// supersede interrupts the execution of a block that a canonical head has reached.
func (r *running) supersede(number uint64) {
	if e := r.current.Load(); e != nil && e.number <= number {
		e.exec.Cancel()
	}
}

// hash returns the hash of the head.
func (r *running) hash(head *types.Header) common.Hash {
	if h := r.newest.Load(); h != nil && h.header == head {
		return h.hash
	}
	h := &hashedHeader{header: head, hash: head.Hash()}
	r.newest.Store(h)
	return h.hash
}
