// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/bits"
	"sync"
	"time"

	gethparams "github.com/ethereum/go-ethereum/params"
)

// pace predicts how long it takes to execute and to publish, from what it took before. It is safe for
// concurrent use: a superseded job may still be on its last flashblock when the next one starts.
type pace struct {
	mu       sync.Mutex
	nsPerGas float64          // of execution
	share    float64          // of the gas limits of transactions that they use
	kept     [64]limitUse     // of transactions that room was kept for, by the length of their gas limits
	publish  time.Duration    // from the last transaction to the hand-over to the stream
	waste    [2]time.Duration // on transactions that fail, in a payload's first user flashblock and in later ones
}

// The pace before anything was measured: simple transfers on a slow machine, and an encoding of a few
// hundred transactions.
const (
	initialNsPerGas = 4.0
	initialShare    = 1.0
	initialPublish  = 2 * time.Millisecond
)

// paceWeight is the weight of a new measurement in the moving average: about ten flashblocks of memory.
const paceWeight = 0.2

// margin is added to every prediction, relative and absolute, for the scheduler's and the garbage
// collector's delays.
const (
	marginFactor = 1.25
	marginFixed  = time.Millisecond
)

// minBudgetShare is the part of an interval that is always kept for execution, so that what arrives at
// the last moment, or was predicted to cost nothing, still has its chance.
const minBudgetShare = 20

// cost predicts the time to execute gas and publish it, in a schedule of the given interval.
func (p *pace) cost(gas uint64, interval time.Duration) time.Duration {
	p.mu.Lock()
	execute := time.Duration(float64(gas) * p.nsPerGas * marginFactor)
	p.mu.Unlock()
	return max(execute, interval/minBudgetShare) + p.reserve()
}

// reserve predicts the time to publish what was executed.
func (p *pace) reserve() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(float64(p.publish)*marginFactor) + marginFixed
}

// usage predicts the gas that transactions use from the sum of their limits. Wallets are generous with
// limits; taken at their word, they would make every flashblock's selection start too early.
func (p *pace) usage(limits uint64) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return uint64(float64(limits) * p.share)
}

// executed takes in a measurement: the gas used, the limits of the transactions that used it, and the
// time. Small samples say more about fixed costs than about gas.
func (p *pace) executed(gas, limits uint64, took time.Duration) {
	if gas < 10*gethparams.TxGas {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.share += paceWeight * (float64(gas)/float64(limits) - p.share)
	p.nsPerGas += paceWeight * (float64(took)/float64(gas) - p.nsPerGas)
}

// published takes in a measurement.
func (p *pace) published(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.publish += time.Duration(paceWeight * float64(took-p.publish))
}

// limitUse is what transactions have used of their gas limits.
type limitUse struct{ used, limits uint64 }

// limitMemory is how much gas of limits is remembered: a few blocks.
const limitMemory = 250_000_000

// expected predicts what a transaction that room is kept for will use of its gas limit.
func (p *pace) expected(limit uint64) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := &p.kept[bits.Len64(limit)%len(p.kept)]
	if u.limits == 0 {
		return limit
	}
	return min(uint64(float64(limit)*float64(u.used)/float64(u.limits)), limit)
}

// keptFor takes in what a transaction that room was kept for has used of its gas limit. A limit costs nothing, so
// without this anybody could hold everybody else back with transactions that ask for much and use little.
func (p *pace) keptFor(used, limit uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := &p.kept[bits.Len64(limit)%len(p.kept)]
	u.used += used
	u.limits += limit
	if u.limits > limitMemory {
		u.used, u.limits = u.used/2, u.limits/2
	}
}

// wasted takes in the time that a flashblock's selection has spent on transactions that failed.
func (p *pace) wasted(first bool, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	waste := &p.waste[wasteOf(first)]
	*waste = max(took, *waste+time.Duration(paceWeight*float64(took-*waste)))
}

// lost predicts it. The prediction is quick to rise and slow to fall.
func (p *pace) lost(first bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waste[wasteOf(first)]
}

func wasteOf(first bool) int {
	if first {
		return 0
	}
	return 1
}
