// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/log"
)

const (
	// leastAllowance is how long one filling may take at least, as with op-geth's miner.
	leastAllowance = 2 * time.Second

	// lateMargin is kept, beside a quarter of its predicted time, between the end of a slot's last filling and
	// the moment at which it has to be done.
	lateMargin = 10 * time.Millisecond

	// fetchGrace is how long getPayload waits for the transaction that is being executed, so that the first
	// filling can be sealed as far as it has come. A block without it is better than none at all.
	fetchGrace = 500 * time.Millisecond
)

// runRefilled builds whole blocks from the pool: at once, again whenever the recommit interval has passed, and
// once more so that it is done when the last flashblock of the slot would be. The best one counts.
func (j *job) runRefilled(ctx context.Context) {
	defer close(j.finished)
	defer j.release()
	defer j.open()
	for {
		start := j.clock.Now()
		a, err := j.buildWhole(ctx, j.args.Transactions, j.fillWhole)
		took := j.clock.Now().Sub(start)
		switch {
		case err == nil:
			j.keep(a)
			j.open()
		case errors.Is(err, errInterrupted) || ctx.Err() != nil:
			return
		default:
			log.Error("Failed to build a payload", "id", j.id, "number", j.header.Number, "err", err)
			j.metrics.failures.Inc()
			j.open() // the attributes' transactions are there for whoever asks
		}
		at, ok := j.nextFilling(start, took)
		if !ok || !j.waitUntil(at) {
			return
		}
	}
}

// fillWhole fills a whole block from the pool. If the payload is asked for meanwhile and has no other block
// that was filled, what is there by then is the block.
func (j *job) fillWhole(env *environment) error {
	j.env = env
	j.inbox.lose() // each filling begins with a walk over the pool
	j.candidates = newCandidates(env.baseFee, j.config.Prio)
	j.filling.Store(env)
	defer j.filling.Store(nil)
	if !j.cancelled.Load() {
		j.refresh()
	}
	err := j.fill(0, j.clock.Now().Add(max(leastAllowance, j.config.Recommit)))
	if errors.Is(err, errInterrupted) && !j.filled && j.gate.isFetched() && !env.interrupted() {
		err = nil
	}
	if err != nil {
		return err
	}
	return env.err()
}

// keep keeps a filled block if it is the first one, or pays more than the one before.
func (j *job) keep(a *answer) {
	if j.filled && j.cancelled.Load() {
		return // the answer is given already
	}
	if best := j.best.Load(); j.filled && best != nil && blockValue(a.envelope).Cmp(blockValue(best.envelope)) <= 0 {
		return
	}
	j.filled = true
	j.best.Store(a)
}

// nextFilling returns when to fill again, after a filling that began at start and took as long as given. It
// returns false if the slot is over by then.
func (j *job) nextFilling(start mclock.AbsTime, took time.Duration) (mclock.AbsTime, bool) {
	var (
		again = start.Add(j.config.Recommit)
		late  = j.schedule.deadlines[0].Add(-took - took/4 - lateMargin)
		end   = j.schedule.start.Add(max(j.schedule.interval, leastAllowance))
	)
	if again > late && late > j.clock.Now() {
		return late, true
	}
	return again, again.Add(took) <= end
}

// await waits until there is something to seal.
func (j *job) await() {
	if j.form != refilled {
		<-j.ready
		return
	}
	timer := j.clock.NewTimer(fetchGrace)
	defer timer.Stop()
	select {
	case <-j.ready:
	case <-timer.C():
		if env := j.filling.Load(); env != nil {
			env.cancel()
		}
		<-j.ready
	}
}
