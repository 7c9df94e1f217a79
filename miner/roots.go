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

// hashThreshold is how many changed trie keys are gathered before they are hashed in the background.
// Hashing smaller batches repeats the work on the upper trie levels; larger ones leave more to the
// seal. 256 keys hash in well under a millisecond.
const hashThreshold = 256

// rootPipeline applies the diffs of published flashblocks to a state of its own and hashes it in the
// background, and the transactions likewise, so that sealing pays for the last of them only. It holds
// what was published and nothing else.
type rootPipeline struct {
	state *state.StateDB
	txs   *ListRoot
	steps chan step        // closed by finish; its capacity holds a whole slot, so that push never waits
	asked chan chan<- root // requests for the root of what was pushed before
	done  chan struct{}    // closed when the goroutine has returned
	err   error            // valid after done

	pushed  uint64        // steps handed over; guarded by the gate, as push is
	settled atomic.Uint64 // steps taken in, hashed or not
	closing sync.Once     // of steps
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
		state: db,
		txs:   NewListRoot(),
		steps: make(chan step, indices),
		asked: make(chan chan<- root),
		done:  make(chan struct{}),
	}
	go p.loop()
	return p
}

// push hands over a published flashblock.
func (p *rootPipeline) push(s step) {
	p.pushed++
	p.steps <- s
}

// current returns the root after everything pushed so far. It must not be called after finish.
func (p *rootPipeline) current() root {
	answer := make(chan root, 1)
	select {
	case p.asked <- answer:
		return <-answer
	case <-p.done:
		return root{err: p.err}
	}
}

// finish waits for everything pushed to be applied, ends the goroutine, and returns the root after
// what finalize adds. The state is the caller's afterwards. It must be called once.
func (p *rootPipeline) finish(finalize func(*state.StateDB)) root {
	p.abandon()
	<-p.done
	if p.err != nil {
		return root{err: p.err}
	}
	finalize(p.state)
	return p.hash()
}

// abandon ends the goroutine without hashing what is left, and does not wait for it. It may be called
// again, and after finish.
func (p *rootPipeline) abandon() { p.closing.Do(func() { close(p.steps) }) }

func (p *rootPipeline) loop() {
	defer close(p.done)
	defer func() {
		if r := recover(); r != nil {
			p.err = fmt.Errorf("%w: panic while hashing: %v", errStateRootGap, r)
			log.Error("Panic while hashing the state of a payload", "err", r, "stack", string(debug.Stack()))
		}
	}()
	pending := 0
	for {
		select {
		case next, ok := <-p.steps:
			if !ok {
				return
			}
			if pending += p.apply(next); pending >= hashThreshold {
				p.hash()
				pending = 0
			}
			p.settled.Add(1)
		case answer := <-p.asked:
			for len(p.steps) > 0 {
				if next, ok := <-p.steps; ok {
					p.apply(next)
				}
			}
			answer <- p.hash()
			pending = 0
		}
	}
}

// apply takes in a step and returns the number of keys it may have changed.
func (p *rootPipeline) apply(s step) int {
	s.diff.apply(p.state)
	p.txs.Extend(s.txs)
	return s.diff.size()
}

func (p *rootPipeline) hash() root {
	r := root{state: p.state.IntermediateRoot(true)}
	r.withdrawals = p.state.GetStorageRoot(gethparams.OptimismL2ToL1MessagePasser)
	r.txs = p.txs.Hash()
	if err := p.state.Error(); err != nil {
		r.err = fmt.Errorf("%w: %w", errStateRootGap, err)
	}
	return r
}
