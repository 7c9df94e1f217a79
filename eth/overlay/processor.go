// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/log"
)

const (
	// inputQueue is how many flashblocks may wait for execution: a few seconds at 20 ms. Whoever
	// delivers waits when it is full, so that the upstream sees a slow client and a later reconnect
	// resumes where reading stopped.
	inputQueue = 128

	// headQueue is the buffer of canonical heads. The processor only ever looks at the newest.
	headQueue = 16

	// parkedLimit is how many flashblocks of blocks whose parent is not known yet are kept: a block of
	// 2 s at 20 ms, and some to spare.
	parkedLimit = 256
)

// input is one flashblock with the time of its arrival.
type input struct {
	fb      *flashblocks.Flashblock
	arrived time.Time
}

// Processor executes flashblocks and publishes snapshots. Deliver, Snapshot and Subscribe are safe for
// concurrent use.
type Processor struct {
	cfg     Config
	metrics *meters

	inputs chan input
	tip    atomic.Pointer[Snapshot]
	events broadcaster

	// Owned by the goroutine of run.
	sequence flashblocks.Sequence
	block    *block  // being built up, nil if none
	parked   []input // waiting for their parent, in order

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// New creates a processor. It starts nothing.
func New(cfg Config) (*Processor, error) {
	if !cfg.Chain.Config().IsOptimism() {
		return nil, errNotOptimism
	}
	cfg = cfg.sanitize()
	return &Processor{cfg: cfg, metrics: newMeters(cfg.Metrics), inputs: make(chan input, inputQueue)}, nil
}

// Start begins to follow the canonical chain and the delivered flashblocks.
func (p *Processor) Start(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	heads := make(chan core.ChainHeadEvent, headQueue)
	sub := p.cfg.Chain.SubscribeChainHeadEvent(heads)
	p.wg.Go(func() {
		defer sub.Unsubscribe()
		p.run(ctx, heads)
	})
	return nil
}

// Stop ends the processor and every subscription.
func (p *Processor) Stop() error {
	if p.stop != nil {
		p.stop()
	}
	p.wg.Wait()
	p.events.close()
	return nil
}

// Deliver hands over a flashblock in the order of the stream. It waits while the queue is full, and
// returns false if ctx ended before.
func (p *Processor) Deliver(ctx context.Context, fb *flashblocks.Flashblock, arrived time.Time) bool {
	select {
	case p.inputs <- input{fb: fb, arrived: arrived}:
		return true
	case <-ctx.Done():
		return false
	}
}

// Snapshot returns the newest snapshot, nil if pending is latest.
func (p *Processor) Snapshot() *Snapshot { return p.tip.Load() }

// Subscribe delivers every event from now on. The pointer that Snapshot returns is never older than the
// events delivered.
func (p *Processor) Subscribe() *Subscription { return p.events.subscribe() }

func (p *Processor) run(ctx context.Context, heads <-chan core.ChainHeadEvent) {
	for {
		// Canonical heads go first: they decide what the flashblocks that wait are worth.
		select {
		case <-heads:
			p.reconcile()
			continue
		default:
		}
		select {
		case <-heads:
			p.reconcile()
		case in := <-p.inputs:
			p.receive(in)
		case <-ctx.Done():
			return
		}
	}
}

// receive takes in one flashblock.
func (p *Processor) receive(in input) {
	fb := in.fb
	number := fb.Header().BlockNumber
	if head := p.cfg.Chain.CurrentBlock(); number != 0 && number <= head.Number.Uint64() {
		p.metrics.superseded.Inc()
		return
	}
	res := p.sequence.Add(fb)
	p.metrics.outcome(res.Outcome)
	switch {
	case res.Outcome == flashblocks.Gap || res.Outcome == flashblocks.TooLong:
		p.interrupt()
		return
	case !res.Outcome.Held():
		if res.Outcome == flashblocks.Conflict {
			log.Warn("Flashblock contradicts one received before", "number", number, "index", fb.Index, "payload", fb.PayloadID)
		}
		return
	case fb.Index == 0:
		p.begin(in)
	case len(p.parked) > 0:
		p.park(in)
	case p.block != nil && !p.block.broken:
		p.extend(in)
	}
}

// begin starts on a new block, or a new attempt at one.
func (p *Processor) begin(in input) {
	p.parked = nil
	base := in.fb.Base
	withdrawn := p.withdrawFrom(base.BlockNumber)
	b, err := p.open(base, in.fb)
	if err != nil {
		log.Debug("Flashblocks wait for their parent", "number", base.BlockNumber, "parent", base.ParentHash, "err", err)
		p.metrics.parked.Inc()
		p.publish(nil, false, withdrawn)
		p.park(in)
		return
	}
	p.block = b
	p.step(in, withdrawn)
}

// park keeps a flashblock until its parent is known.
func (p *Processor) park(in input) {
	if len(p.parked) < parkedLimit {
		p.parked = append(p.parked, in)
	}
}

// extend executes a flashblock on the block in progress.
func (p *Processor) extend(in input) { p.step(in, nil) }

// step executes a flashblock and publishes the outcome.
func (p *Processor) step(in input, withdrawn []*Snapshot) {
	b, start := p.block, p.cfg.Now()
	if err := b.extend(in.fb); err != nil {
		log.Warn("Failed to execute a flashblock", "number", b.number(), "index", in.fb.Index, "err", err)
		p.metrics.failures.Inc()
		b.broken = true
		p.interrupt()
		if len(withdrawn) > 0 {
			p.publish(p.tip.Load(), false, withdrawn)
		}
		return
	}
	p.metrics.execution.Update(p.cfg.Now().Sub(start).Seconds())
	if field := b.divergence(); field != "" {
		p.metrics.divergence(field)
		log.Warn("Execution of a flashblock differs from what the stream says", "number", b.number(), "index", in.fb.Index, "field", field)
		if p.cfg.Strict {
			b.broken = true
			p.interrupt()
			return
		}
	}
	p.publish(b.publishable(p.cfg.Chain.Config(), len(in.fb.Diff.Transactions), in.arrived, p.cfg.Now()), true, withdrawn)
}

// interrupt marks the newest snapshot as a prefix that will not grow.
func (p *Processor) interrupt() {
	tip := p.tip.Load()
	if tip == nil || tip.Incomplete {
		return
	}
	cpy := *tip
	cpy.Incomplete = true
	if p.block != nil && p.block.snapshot == tip {
		p.block.snapshot = &cpy
		p.block.broken = true
	}
	p.publish(&cpy, false, nil)
}

// publish swaps the pointer first and tells the subscribers second: who reacts to an event finds at least
// that state.
func (p *Processor) publish(s *Snapshot, fresh bool, withdrawn []*Snapshot) {
	if s == nil && p.tip.Load() == nil && len(withdrawn) == 0 {
		return
	}
	p.tip.Store(s)
	if s != nil && fresh {
		p.metrics.published(s)
	}
	p.metrics.dropped.Add(p.events.send(Event{Snapshot: s, Fresh: fresh, Withdrawn: withdrawn}))
}

// withdrawFrom gives up the pending blocks from a number on and returns their snapshots.
func (p *Processor) withdrawFrom(number uint64) []*Snapshot {
	var withdrawn []*Snapshot
	for p.block != nil && p.block.number() >= number {
		if p.block.snapshot != nil {
			withdrawn = append([]*Snapshot{p.block.snapshot}, withdrawn...)
		}
		p.block = p.block.parent
	}
	return withdrawn
}

// open prepares to execute a block on the canonical block that it names as parent, or on the pending
// block before it.
func (p *Processor) open(base *flashblocks.Base, first *flashblocks.Flashblock) (*block, error) {
	var (
		chain  = p.cfg.Chain
		head   = chain.CurrentBlock()
		header = newHeader(chain.Config(), base)
		b      = &block{
			base:    base,
			payload: first.PayloadID,
			header:  header,
			signer:  types.MakeSigner(chain.Config(), header.Number, header.Time),
			lookup:  new(txIndex),
			root:    newReceiptRoot(),
		}
	)
	parentHeader := head
	switch {
	case base.ParentHash == head.Hash():
		store, err := newStore(head, stateDatabase(chain))
		if err != nil {
			return nil, err
		}
		b.store = store
	case p.block != nil && p.block.number()+1 == base.BlockNumber && !p.block.broken:
		b.parent = p.block
		if err := b.stack(p.block, p.block.store.anchor, stateDatabase(chain)); err != nil {
			return nil, err
		}
		parentHeader = p.block.header
	default:
		return nil, errNoParent
	}
	return b, p.prepare(b, parentHeader, first)
}
