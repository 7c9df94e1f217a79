// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"sync"
	"time"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// gate decides, once, which flashblocks belong to the block: those published before it closes. Both
// sides pass through it, so a flashblock is either published and sealed or neither.
type gate struct {
	mu      sync.Mutex
	closed  reason
	fetched bool          // the payload was asked for, whatever had closed the gate
	cancel  func()        // interrupts the execution, once armed
	flight  chan struct{} // closed when the flashblock under way is published or given up, nil if none is
	called  chan struct{} // closed when the payload is asked for while a flashblock is under way
	err     error         // why the job failed
	last    prefix        // what was published
}

// reason is why a job stopped building.
type reason uint8

const (
	building   reason = iota
	resolved          // the payload was asked for
	superseded        // other attributes, or another parent, were given
	failed            // an error or a panic
	stopped           // the node is shutting down
)

func (r reason) String() string {
	return [...]string{"building", "resolved", "superseded", "failed", "stopped"}[r]
}

// prefix is the published part of a block. Its slices are never written to again.
type prefix struct {
	indices  uint64 // flashblocks published, index 0 included
	txs      []*types.Transaction
	raws     [][]byte
	receipts []*types.Receipt
	used     budget
	bloom    types.Bloom
	fees     uint256.Int
	receipt  common.Hash // root of the receipts

	buildTime time.Duration // spent on all of it, waiting excluded
}

// arm installs the function that interrupts the execution. It returns false if the gate is closed.
func (g *gate) arm(cancel func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != building {
		return false
	}
	g.cancel = cancel
	return true
}

// begin lets a flashblock be executed, unless the gate is closed or about to be.
func (g *gate) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != building || g.asked() {
		return false
	}
	g.flight = make(chan struct{})
	return true
}

// end tells that the flashblock under way is published or given up.
func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.flight)
	g.flight = nil
}

// call asks for what is executed of the flashblock under way, and for no other after it. It returns a channel
// that is closed when that is published, or nil if no flashblock is under way.
func (g *gate) call() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != building {
		return nil
	}
	if !g.asked() {
		close(g.called)
	}
	return g.flight
}

// asked reports whether the flashblock under way is to be published as it is.
func (g *gate) asked() bool {
	select {
	case <-g.called:
		return true
	default:
		return false
	}
}

// pass runs publish if the gate is open and records p as the published prefix. Index 0 passes a gate
// that was closed by getPayload before it: the block holds the deposits in any case.
//
// A publish that returns false counts as not having happened.
func (g *gate) pass(p prefix, publish func() bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != building && (g.closed != resolved || p.indices > 1) {
		return false
	}
	if !publish() {
		return false
	}
	g.last = p
	return true
}

// close ends the publishing for good. The first reason wins, except that after a failure it is still open
// whether the block is fetched or abandoned.
func (g *gate) close(why reason) (first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closeLocked(why)
}

// closeLocked assumes that the lock is held.
func (g *gate) closeLocked(why reason) bool {
	g.fetched = g.fetched || why == resolved
	if g.closed != building {
		if g.closed == failed {
			g.closed = why
		}
		return false
	}
	g.closed = why
	if g.cancel != nil {
		g.cancel()
		g.cancel = nil // it holds on to the execution state
	}
	return true
}

// fail closes the gate for an error. It reports whether that ended the job.
func (g *gate) fail(err error) (first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
	return g.closeLocked(failed)
}

// isFetched reports whether the payload was asked for.
func (g *gate) isFetched() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fetched
}

// outcome returns the published prefix, why publishing ended, and the error if the job failed.
func (g *gate) outcome() (prefix, reason, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last, g.closed, g.err
}
