// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// form is how a payload comes to be.
type form uint8

const (
	streamed form = iota // flashblock by flashblock
	refilled             // as whole blocks from the pool, each filled anew, of which the best counts
	exact                // of the attributes' transactions alone, at once
)

// job builds one payload. Its fields are set before run starts and then belong to run's goroutine,
// except for the gate, the inbox and the atomics.
type job struct {
	form     form
	witness  bool // the block is to come with the witness of its execution
	id       engine.PayloadID
	asked    engine.PayloadID // what op-geth calls the payload; id unless that was spent
	args     *gethminer.BuildPayloadArgs
	chain    *core.BlockChain
	pool     *walks
	config   *Config
	metrics  *meters
	clock    mclock.Clock
	stream   Publisher
	parent   *types.Header
	header   *types.Header
	schedule schedule
	limits   limits
	filter   txpool.PendingFilter
	pace     *pace // shared by the builder's jobs
	failsafe func() bool
	current  func() (limits, txpool.PendingFilter) // the limits in force
	patience time.Duration                         // of getPayload with the flashblock under way
	hooks    hooks

	base      *flashblocks.Base
	prevBlock *flashblocks.FlashblockID // last flashblock of the block before, if this node published it

	hashing     *state.StateDB // of the pipeline, between the deposits and its start
	env         *environment
	candidates  *candidates
	inbox       *inbox
	loaded      bool // the pool was walked
	announced   int  // by the pool since it was walked
	first       bool // no user flashblock was filled yet
	cut         bool // there was more to execute in the last flashblock than time
	freed       bool // room that was kept for someone has become free
	receiptRoot *ListRoot
	lastPrefix  prefix // of the last flashblock published
	filled      bool   // best was filled from the pool

	best    atomic.Pointer[answer]      // what there is of a payload that is not streamed
	filling atomic.Pointer[environment] // of a whole block that is being filled

	gate      gate
	result    result
	roots     *rootPipeline
	cancelled atomic.Bool
	cancelCh  chan struct{}   // closed by cancel
	before    <-chan struct{} // ready of the job before, nil if there is none
	ready     chan struct{}   // closed when the deposits are executed, or could not be
	finished  chan struct{}   // closed when run has returned
}

// hooks let tests act at moments that are otherwise a matter of luck.
type hooks struct {
	beforeTx      func(*types.Transaction)
	beforePublish func(index uint64)
	beforeDeposit func()
	beforeSeal    func()
	beforeWhole   func()
	reader        func(state.Reader) state.Reader
}

// run builds until there is nothing more to do or the job is cancelled.
func (j *job) run(ctx context.Context) {
	if j.form == refilled {
		j.runRefilled(ctx)
	} else {
		j.runStreamed(ctx)
	}
}

// runStreamed builds until the schedule is used up or the job is cancelled. It never returns an error: what
// was published stays, and what failed is rebuilt when the payload is asked for.
func (j *job) runStreamed(ctx context.Context) {
	defer close(j.finished)
	defer j.release()
	defer func() {
		if r := recover(); r != nil {
			log.Error("Panic while building a payload", "id", j.id, "number", j.header.Number, "err", r, "stack", string(debug.Stack()))
			j.fail(fmt.Errorf("panic while building: %v", r))
		}
	}()
	if err := j.buildDeposits(ctx); err != nil {
		if errors.Is(err, errInterrupted) {
			j.open()
			return
		}
		if ctx.Err() == nil {
			log.Error("Failed to execute the transactions of the payload attributes", "id", j.id, "number", j.header.Number, "err", err)
		}
		j.fail(err)
		return
	}
	for prev := -1; ; {
		deadline, ok := j.schedule.next(j.clock.Now(), prev)
		if !ok && j.cut {
			// The slot is over and the block is not full. Until somebody asks for it there is time.
			deadline, ok = j.schedule.extend(j.clock.Now())
		}
		if !ok {
			return
		}
		if err := j.buildFlashblock(deadline); err != nil {
			if !errors.Is(err, errInterrupted) {
				log.Error("Failed to build a flashblock", "id", j.id, "number", j.header.Number, "err", err)
				j.fail(err)
			}
			return
		}
		j.metrics.missed.Add(deadline - prev - 1)
		prev = deadline
	}
}

// fail gives the job up. Whatever it published remains the prefix of the block, which is rebuilt when it is
// asked for.
func (j *job) fail(err error) {
	j.metrics.failures.Inc()
	if j.gate.fail(err) {
		j.metrics.cancellation(failed)
	}
	j.open()
}

// cancel stops the building for a reason, without waiting for it.
func (j *job) cancel(why reason) {
	if !j.gate.close(why) {
		return // ended, and counted, for another reason
	}
	j.cancelled.Store(true)
	close(j.cancelCh)
	if j.form == streamed {
		j.metrics.cancellation(why)
	}
	if env := j.filling.Load(); env != nil && why != resolved {
		env.cancel() // nobody waits for it any more
	}
}

// release lets go of what building alone needs, as the job is kept for its answer.
func (j *job) release() {
	j.env, j.candidates, j.receiptRoot, j.hashing = nil, nil, nil, nil
	j.inbox.close()
}

// open lets getPayload proceed.
func (j *job) open() {
	select {
	case <-j.ready:
	default:
		close(j.ready)
	}
}

// prepare executes the attributes' transactions.
func (j *job) prepare(ctx context.Context) error {
	if j.hooks.beforeDeposit != nil {
		j.hooks.beforeDeposit()
	}
	exec, hashing, err := openStates(j.chain, j.parent.Root, j.hooks.reader)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreadableState, err)
	}
	env, err := newEnvironment(j.chain, j.parent, j.header, exec, firstOf(j.args.Transactions), j.config.VMConfig(j.header))
	if err != nil {
		return err
	}
	env.failsafe = j.failsafe
	if err := env.force(ctx, j.args.Transactions); err != nil {
		return err
	}
	j.env, j.hashing = env, hashing
	return nil
}

// buildDeposits executes the attributes' transactions, if that was not done already, and publishes them as
// index 0.
func (j *job) buildDeposits(ctx context.Context) error {
	start := j.clock.Now()
	if j.env == nil {
		if err := j.prepare(ctx); err != nil {
			return err
		}
	}
	env := j.env
	j.roots = newRootPipeline(j.hashing, j.schedule.most()+1)
	j.hashing = nil
	j.candidates = newCandidates(env.baseFee, j.config.Prio)
	if !j.gate.arm(env.cancel) {
		// The payload was asked for, or superseded, before there was anything to interrupt. The
		// deposits are published all the same: the block holds them.
		env.cancel()
	}
	fb := j.assemble(0, start)
	if j.before != nil {
		// The deposits of a payload that was fetched at once are published however late they are, but
		// not in the midst of this one's.
		<-j.before
	}
	j.publish(fb)
	j.open()
	if j.cancelled.Load() {
		return errInterrupted // a walk over the pool would be wasted
	}
	j.refresh()
	return nil
}

// buildFlashblock waits for the moment to start on a deadline, fills the flashblock and publishes it at
// the deadline.
func (j *job) buildFlashblock(deadline int) error {
	due := j.schedule.deadlines[deadline]
	if !j.waitToStart(deadline) || !j.gate.begin() {
		return errInterrupted
	}
	defer j.gate.end()
	stop := due.Add(-min(j.pace.reserve(), j.schedule.interval/maxReserveShare))
	if now := j.clock.Now(); now >= due || now >= stop && deadline == j.schedule.len()-1 {
		// The last one is better late than empty.
		stop = now.Add(j.schedule.interval / lateShare)
	}
	start := j.clock.Now()
	j.limit()
	j.candidates.resume(j.freed || deadline == j.schedule.len()-1)
	j.freed = false
	j.refresh()
	var (
		selected = j.clock.Now()
		gas      = j.env.used.gas
		txs      = len(j.env.txs)
	)
	if err := j.fill(deadline, stop); err != nil {
		return err
	}
	if err := j.env.err(); err != nil {
		return err
	}
	filled := j.clock.Now()
	j.pace.executed(j.env.used.gas-gas, gasLimits(j.env.txs[txs:]), filled.Sub(selected))
	fb := j.assemble(deadline, start)
	j.pace.published(j.clock.Now().Sub(filled))
	if !j.waitUntil(due) || j.gate.asked() && len(j.env.txs) == txs {
		j.metrics.suppressed.Inc()
		return errInterrupted
	}
	if j.hooks.beforePublish != nil {
		j.hooks.beforePublish(fb.message.Index)
	}
	if !j.publish(fb) {
		j.metrics.suppressed.Inc()
		return errInterrupted
	}
	return nil
}

// lateShare is the part of an interval that a flashblock past its deadline may fill: enough for the best
// transactions of a slot that starts too late, without eating into the next one.
const lateShare = 4

// maxReserveShare bounds the part of an interval that is left for publishing. The prediction can be far
// off after the machine has stood still, and must not leave the next flashblocks empty.
const maxReserveShare = 2

// waitToStart waits until just enough time is left before a deadline for what is worth executing. The
// moment moves as the pool announces more. It returns false if the job was cancelled meanwhile.
func (j *job) waitToStart(deadline int) bool {
	due := j.schedule.deadlines[deadline]
	for {
		start := due.Add(-j.lead(deadline))
		wait := start.Sub(j.clock.Now())
		if wait <= 0 {
			return !j.cancelled.Load()
		}
		timer := j.clock.NewTimer(wait)
		select {
		case <-timer.C():
			return !j.cancelled.Load()
		case <-j.inbox.arrived:
			timer.Stop()
		case <-j.cancelCh:
			timer.Stop()
			return false
		}
	}
}

// lead predicts how long before a deadline the flashblock must be started to be published at it.
func (j *job) lead(deadline int) time.Duration {
	ceiling := j.limits.ceiling(deadline+1, j.schedule.len())
	gas := uint64(0)
	if ceiling.gas > j.env.used.gas {
		gas = ceiling.gas - j.env.used.gas
	}
	return j.pace.cost(min(gas, j.pace.usage(j.candidates.gas+j.inbox.waiting())), j.schedule.interval) + min(j.pace.lost(j.first), j.schedule.interval)
}

// gasLimits sums the limits of transactions.
func gasLimits(txs []*types.Transaction) (sum uint64) {
	for _, tx := range txs {
		sum += tx.Gas()
	}
	return sum
}

// waitUntil waits for a moment, or until the payload is asked for. It returns false if the job was cancelled
// meanwhile.
func (j *job) waitUntil(at mclock.AbsTime) bool {
	wait := at.Sub(j.clock.Now())
	if wait <= 0 {
		return !j.cancelled.Load()
	}
	timer := j.clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
		return !j.cancelled.Load()
	case <-j.gate.called:
		return !j.cancelled.Load()
	case <-j.cancelCh:
		return false
	}
}
