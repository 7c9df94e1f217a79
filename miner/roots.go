// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/log"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// hashThreshold is how many changed trie keys are gathered before they are handed over to be hashed.
// Smaller batches repeat the work on the upper trie levels and wake the hasher more often; larger ones
// leave more to the seal. 256 keys hash in well under a millisecond.
const hashThreshold = 256

// rootPipeline applies the diffs of published flashblocks to a state of its own and hashes it in the
// background, and the transactions likewise, so that sealing pays for the last of them only. It holds
// what was published and nothing else.
type rootPipeline struct {
	state *state.StateDB
	txs   *ListRoot

	batches chan []step      // closed by finish; its capacity holds a whole slot, so that push never waits
	asked   chan chan<- root // requests for the root of what was handed over before
	done    chan struct{}    // closed when the goroutine has returned
	closing sync.Once        // of batches
	settled atomic.Uint64    // steps hashed in the background
	err     error            // valid after done

	// Guarded by the gate, as push is, and the sealer's once that is closed.
	pushed  uint64 // steps taken in
	handed  uint64 // of them, handed over to the goroutine
	waiting []step // the others
	keys    int    // that waiting may change
}

// step is what one published flashblock adds.
type step struct {
	diff *StateDiff
	txs  encodedList // all of the block so far
}

// root is a state root with what else is derived from hashing.
type root struct {
	state       common.Hash
	withdrawals common.Hash // storage root of the L2ToL1MessagePasser (Isthmus)
	txs         common.Hash
	err         error
}

// newRootPipeline starts a pipeline for at most indices flashblocks.
func newRootPipeline(db *state.StateDB, indices int) *rootPipeline {
	p := &rootPipeline{
		state:   db,
		txs:     NewListRoot(),
		batches: make(chan []step, indices),
		asked:   make(chan chan<- root),
		done:    make(chan struct{}),
	}
	go p.loop()
	return p
}

// push takes in a published flashblock.
func (p *rootPipeline) push(s step) {
	p.pushed++
	p.waiting = append(p.waiting, s)
	if p.keys += s.diff.size(); p.keys >= hashThreshold {
		p.handOver()
	}
}

// handOver gives everything that waits to the goroutine.
func (p *rootPipeline) handOver() {
	p.handed = p.pushed
	p.batches <- p.waiting
	p.waiting, p.keys = nil, 0
}

// current returns the root after everything pushed so far. It must not be called after finish.
func (p *rootPipeline) current() root {
	p.handOver()
	answer := make(chan root, 1)
	select {
	case p.asked <- answer:
		return <-answer
	case <-p.done:
		return root{err: p.err}
	}
}

// finish ends the goroutine once it has hashed what was handed over, adds what was not and what finalize
// does, and returns the root. The state is the caller's afterwards. It must be called once.
func (p *rootPipeline) finish(finalize func(*state.StateDB)) root {
	p.abandon()
	<-p.done
	if p.err != nil {
		return root{err: p.err}
	}
	p.apply(p.waiting)
	finalize(p.state)
	return p.hash()
}

// release gives the state away, after finish.
func (p *rootPipeline) release() *state.StateDB {
	db := p.state
	p.state, p.txs = nil, nil
	return db
}

// abandon ends the goroutine, and does not wait for it. It may be called again, and after finish.
func (p *rootPipeline) abandon() { p.closing.Do(func() { close(p.batches) }) }

func (p *rootPipeline) loop() {
	defer close(p.done)
	defer func() {
		if r := recover(); r != nil {
			p.err = fmt.Errorf("%w: panic while hashing: %v", errStateRootGap, r)
			log.Error("Panic while hashing the state of a payload", "err", r, "stack", string(debug.Stack()))
		}
	}()
	for {
		select {
		case batch, ok := <-p.batches:
			if !ok {
				return
			}
			p.apply(batch)
			p.hash()
			p.settled.Add(uint64(len(batch)))
		case answer := <-p.asked:
			for len(p.batches) > 0 {
				p.apply(<-p.batches)
			}
			answer <- p.hash()
		}
	}
}

// apply adds steps to the state and to the list of transactions.
func (p *rootPipeline) apply(batch []step) {
	for _, s := range batch {
		s.diff.apply(p.state)
		p.txs.Extend(s.txs)
	}
}

func (p *rootPipeline) hash() root { return hashRoots(p.state, p.txs) }

// hashRoots hashes a state and a list of transactions.
func hashRoots(db *state.StateDB, txs *ListRoot) root {
	r := root{state: db.IntermediateRoot(true)}
	r.withdrawals = db.GetStorageRoot(gethparams.OptimismL2ToL1MessagePasser)
	r.txs = txs.Hash()
	if err := db.Error(); err != nil {
		r.err = fmt.Errorf("%w: %w", errStateRootGap, err)
	}
	return r
}
