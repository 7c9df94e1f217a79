// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/log"
	gethminer "github.com/ethereum/go-ethereum/miner"
)

// BuildPayload starts to build on the given attributes and returns the payload's id. A payload without the pool
// is built when it returns. The attributes of the payload under construction, or of one that was fetched or is
// complete, change nothing about it. Whatever else is under construction is superseded and keeps what it has
// published. The id is op-geth's, unless something was begun under it that will never be the block of these
// attributes: of an abandoned payload, or by an earlier process of this node.
//
// An error is the attributes' fault, unless it wraps ErrNotBuilt: no block can be made of them, or none that a
// node would import or build upon. Nothing was published then, and what is under construction goes on.
func (b *Builder) BuildPayload(args *gethminer.BuildPayloadArgs, opts Options) (id engine.PayloadID, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("Panic while beginning a payload", "parent", args.Parent, "timestamp", args.Timestamp, "err", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	b.begin.Lock()
	defer b.begin.Unlock()
	j, known, err := b.draft(args, opts)
	switch {
	case err != nil:
		return args.Id(), err
	case known:
		return j.id, nil
	}
	defer b.wg.Done()
	if err := j.prove(b.lifeCtx); err != nil {
		if b.lifeCtx.Err() != nil {
			err = ErrStopped
		}
		return j.id, err
	}
	return j.id, b.adopt(j)
}

// draft returns a job for the attributes, and whether it is one that is known already. A new one is counted by
// the group that Stop waits for.
func (b *Builder) draft(args *gethminer.BuildPayloadArgs, opts Options) (j *job, known bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := args.Id()
	if b.closed {
		return nil, false, ErrStopped
	}
	if j := b.standing(asked); j != nil {
		if b.live != j {
			b.supersede()
		}
		return j, true, nil
	}
	j, err = b.newJob(asked, args, opts)
	if err != nil {
		return nil, false, err
	}
	if j.form != exact {
		j.id = b.memory.fresh(asked)
	}
	b.wg.Add(1)
	return j, false, nil
}

// adopt puts a job in the place of the payload under construction and lets it run.
func (b *Builder) adopt(j *job) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrStopped
	}
	for _, older := range b.jobs {
		if older.form == streamed {
			j.before = older.ready
		}
	}
	b.supersede()
	b.jobs = append(b.jobs, j)
	if len(b.jobs) > keptJobs {
		b.drop(b.jobs[0])
		b.jobs = append([]*job(nil), b.jobs[1:]...)
	}
	if j.form == exact {
		return nil // it is complete, and another time the attributes give the same block
	}
	b.memory.add(j.id)
	b.live = j
	if j.form == streamed {
		log.Info("Starting work on flashblocks", "id", j.id, "number", j.header.Number, "flashblocks", j.schedule.len(), "interval", j.schedule.interval, "deposits", len(j.args.Transactions))
	} else {
		log.Info("Starting work on payload", "id", j.id, "number", j.header.Number, "deposits", len(j.args.Transactions))
	}
	b.wg.Go(func() { j.run(b.lifeCtx) })
	return nil
}

// newJob prepares a job. It assumes that the lock is held.
func (b *Builder) newJob(id engine.PayloadID, args *gethminer.BuildPayloadArgs, opts Options) (*job, error) {
	chain := b.backend.BlockChain()
	parent, blockTime, err := checkArgs(chain, args)
	if err != nil {
		return nil, err
	}
	header, err := newHeader(chain, parent, args, b.config.GasCeil)
	if err != nil {
		return nil, err
	}
	if err := checkBlock(chain.Config(), parent, header, args); err != nil {
		return nil, err
	}
	j := &job{
		form:        b.formOf(args, opts),
		witness:     opts.Witness,
		id:          id,
		asked:       id,
		args:        args,
		chain:       chain,
		pool:        b.walks,
		config:      &b.config,
		metrics:     b.metrics,
		clock:       b.config.Clock,
		stream:      b.stream,
		parent:      parent,
		header:      header,
		limits:      b.blockLimits(parent, header),
		filter:      b.poolFilter(chain, header),
		pace:        b.pace,
		failsafe:    func() bool { return false },
		patience:    b.patience,
		hooks:       b.hooks,
		first:       true,
		inbox:       newInbox(),
		receiptRoot: NewListRoot(),
		cancelCh:    make(chan struct{}),
		ready:       make(chan struct{}),
		finished:    make(chan struct{}),
	}
	j.gate.called = make(chan struct{})
	j.current = func() (limits, txpool.PendingFilter) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.blockLimits(parent, header), b.poolFilter(chain, header)
	}
	if node, ok := b.backend.(failsafeBackend); ok {
		j.failsafe = node.GetSupervisorFailsafe
	}
	b.plan(j, blockTime, opts)
	return j, nil
}

// formOf decides how a payload comes to be. Amsterdam is no fork of the OP Stack, and the stream has no fields
// for what its headers have.
func (b *Builder) formOf(args *gethminer.BuildPayloadArgs, opts Options) form {
	switch {
	case args.NoTxPool:
		return exact
	case b.stream == nil || opts.Whole || opts.Witness || args.Version == engine.PayloadV4:
		return refilled
	}
	return streamed
}

// plan gives a job its deadlines: one for each flashblock, or one for the block. It assumes that the lock is
// held.
func (b *Builder) plan(j *job, blockTime time.Duration, opts Options) {
	t := timing{blockTime: blockTime, interval: blockTime, endBuffer: b.config.EndBuffer}
	remaining := time.Unix(int64(j.args.Timestamp), 0).Sub(b.config.Now())
	if j.form != streamed {
		j.schedule = newSchedule(b.config.Clock.Now(), remaining, t)
		return
	}
	t.interval, t.sendOffset = min(b.config.Interval, blockTime), b.config.SendOffset
	if opts.Interval > 0 {
		t.interval = min(opts.Interval, blockTime)
	}
	j.schedule = newSchedule(b.config.Clock.Now(), remaining, t)
	j.base = newBase(j.header)
	if last := b.lastPub; last != nil && last.BlockNumber+1 == j.header.Number.Uint64() {
		j.prevBlock = last
	}
	b.metrics.scheduled(&j.schedule)
	b.warn(blockTime)
}

// prove executes what has to be executed before the attributes can be accepted: all of a payload without the
// pool, and the transactions of any whose deposits are not certain to be included.
func (j *job) prove(ctx context.Context) (err error) {
	if j.form == exact {
		a, err := j.buildWhole(ctx, j.args.Transactions, nil)
		if err != nil {
			return err
		}
		j.best.Store(a)
		close(j.ready)
		close(j.finished)
		return nil
	}
	if certain(j.chain.Config(), j.header, j.args.Transactions) {
		return nil
	}
	if j.form == streamed {
		defer j.recovered("executing the attributes' transactions", &err)
		return j.prepare(ctx)
	}
	a, err := j.buildWhole(ctx, j.args.Transactions, nil)
	if err != nil {
		return err
	}
	j.best.Store(a)
	return nil
}
