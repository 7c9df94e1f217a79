// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/lru"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	forkrules "github.com/ethereum/go-ethereum/flashgeth/internal/fork"
)

const (
	// keptJobs is how many payloads getPayload can still answer: as many as op-geth keeps.
	keptJobs = 10

	// keptSealed is how many sealed states wait for their newPayload. Each holds the tries of a block;
	// a consensus client inserts a payload before it asks for the next one.
	keptSealed = 2

	// patience is how long getPayload waits for a transaction that is being executed, so that what was executed
	// before it is not lost. Few take longer.
	patience = 100 * time.Millisecond

	// poolEvents is the buffer of the pool's announcements. The pool waits when it is full, so it
	// holds a burst of as many batches as arrive during one garbage collection.
	poolEvents = 1024
)

// Builder builds payloads: those with transactions of the pool one at a time, published as flashblocks or, if
// nobody is to follow, as whole blocks, and the others at once. Its methods are safe for concurrent use.
type Builder struct {
	backend Backend
	config  Config
	stream  Publisher // nil if nothing is streamed
	metrics *meters
	walks   *walks
	asked   chan chan<- struct{} // requests to hand on what the pool has announced
	heard   chan struct{}        // closed when the pool is listened to
	deaf    chan struct{}        // closed when it is not any more
	hooks   hooks

	patience time.Duration // of getPayload

	begin sync.Mutex // held while a payload is begun; taken before mu

	mu      sync.Mutex // guards the fields below
	live    *job       // the job that builds, nil if none
	jobs    []*job     // newest last, at most keptJobs
	limits  control
	pace    *pace
	memory  *idMemory
	lastPub *flashblocks.FlashblockID // last flashblock of the last sealed block
	closed  bool
	warned  bool // of flags that do not fit the slot

	sealed *lru.Cache[common.Hash, *sealed]

	lifeCtx context.Context //nolint:containedctx // ends the jobs, which outlive the calls that start them
	stop    context.CancelFunc
	wg      sync.WaitGroup
}

// New creates a builder. It starts nothing. Without a stream it publishes nothing.
func New(backend Backend, config Config, stream Publisher) (*Builder, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	config = config.sanitize()
	if config.VMConfig == nil {
		config.VMConfig = func(header *types.Header) vm.Config { return forkrules.VMConfig(backend.BlockChain().Config(), header) }
	}
	past, err := openIDMemory(config.PayloadIDFile)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Builder{
		backend:  backend,
		config:   config,
		walks:    &walks{pool: backend.TxPool()},
		asked:    make(chan chan<- struct{}),
		heard:    make(chan struct{}),
		deaf:     make(chan struct{}),
		patience: patience,
		stream:   stream,
		metrics:  newMeters(config.Metrics),
		limits: control{
			maxDATxSize:    positive(config.MaxDATxSize),
			maxDABlockSize: positive(config.MaxDABlockSize),
			gasTip:         config.GasPrice,
		},
		pace:    &pace{nsPerGas: initialNsPerGas, share: initialShare, publish: initialPublish},
		memory:  past,
		sealed:  lru.NewCache[common.Hash, *sealed](keptSealed),
		lifeCtx: ctx,
		stop:    stop,
	}
	b.walks.deliver = b.settleAnnouncements
	return b, nil
}

// Start begins to follow the pool. Payloads can be built before.
func (b *Builder) Start(context.Context) error {
	events := make(chan core.NewTxsEvent, poolEvents)
	sub := b.backend.TxPool().SubscribeTransactions(events, true)
	close(b.heard)
	b.mu.Lock()
	if b.live != nil {
		b.live.inbox.lose() // what was announced before
	}
	b.mu.Unlock()
	b.wg.Go(func() {
		defer close(b.deaf)
		defer sub.Unsubscribe()
		for {
			select {
			case ev := <-events:
				b.announced(ev.Txs)
			case done := <-b.asked:
				for len(events) > 0 {
					b.announced((<-events).Txs)
				}
				close(done)
			case err := <-sub.Err():
				if err != nil {
					log.Error("Lost the pool's announcements", "err", err)
				}
				return
			case <-b.lifeCtx.Done():
				return
			}
		}
	})
	return nil
}

// announced hands on what the pool has announced.
func (b *Builder) announced(txs []*types.Transaction) {
	b.walks.announced(txs)
	b.mu.Lock()
	live := b.live
	b.mu.Unlock()
	if live != nil {
		live.inbox.deliver(txs)
	}
}

// settleAnnouncements waits until what the pool has announced so far was handed on. It returns false if nobody
// listens to the pool: before Start, and after Stop.
func (b *Builder) settleAnnouncements() bool {
	select {
	case <-b.heard:
	default:
		return false
	}
	done := make(chan struct{})
	select {
	case b.asked <- done:
		<-done
		return true
	case <-b.deaf:
		return false
	}
}

// Stop ends all work and waits for it. Payloads that were sealed can still be fetched.
func (b *Builder) Stop() error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		if b.live != nil {
			b.live.cancel(stopped)
			b.live = nil
		}
		for _, j := range b.jobs {
			b.drop(j)
		}
	}
	b.mu.Unlock()
	b.stop()
	b.wg.Wait()
	b.walks.close()
	return nil
}

// warn tells the operator once of flags that could not be checked at start-up, when the block time was not
// known. It assumes that the lock is held.
func (b *Builder) warn(blockTime time.Duration) {
	if err := b.config.CheckBlockTime(blockTime); err != nil && !b.warned {
		b.warned = true
		log.Warn("Flashblocks flags do not fit the chain, fewer flashblocks are built", "err", err)
	}
}

// supersede ends the payload under construction. It assumes that the lock is held.
func (b *Builder) supersede() {
	if b.live == nil {
		return
	}
	old := b.live
	b.live = nil
	old.cancel(superseded)
	if _, why, _ := old.gate.outcome(); why != superseded {
		return // fetched, possibly just now: whoever fetched it may still insert it
	}
	old.publishReorg()
	log.Info("Abandoned the payload under construction", "id", old.id, "number", old.header.Number)
}

// NewHead tells the builder of the head that a forkchoice update has moved to. A payload under construction on another
// parent is abandoned, unless it was fetched already.
func (b *Builder) NewHead(head common.Hash) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.live != nil && b.live.args.Parent != head {
		b.supersede()
	}
}

// Has reports whether GetPayload knows the id.
func (b *Builder) Has(id engine.PayloadID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.find(id) != nil
}

// find assumes that the lock is held.
func (b *Builder) find(id engine.PayloadID) *job {
	for _, j := range b.jobs {
		if j.id == id {
			return j
		}
	}
	return nil
}

// GetPayload stops building the payload and returns the block of everything that was published for it, or the
// best one of a payload that is not streamed. Every later call returns the same block.
func (b *Builder) GetPayload(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	b.mu.Lock()
	j := b.find(id)
	b.mu.Unlock()
	if j == nil {
		return nil, ErrUnknownPayload
	}
	envelope, s, err := j.resolve(b.lifeCtx)
	if err != nil {
		return nil, err
	}
	if s != nil {
		if b.config.ReuseExecution {
			b.sealed.Add(s.block.Hash(), s)
		}
		if p, _, _ := j.gate.outcome(); p.indices > 0 {
			b.mu.Lock()
			b.lastPub = &flashblocks.FlashblockID{BlockNumber: j.base.BlockNumber, Index: p.indices - 1}
			b.mu.Unlock()
		}
	}
	// The caller may change the envelope, but the next one must get the same.
	cpy, data := *envelope, *envelope.ExecutionPayload
	cpy.ExecutionPayload = &data
	return &cpy, nil
}

// takeSealed gives away the state of a sealed block, once.
func (b *Builder) takeSealed(hash common.Hash) *sealed {
	s, ok := b.sealed.Get(hash)
	if !ok || !b.sealed.Remove(hash) {
		return nil
	}
	return s
}

// drop releases what a job holds, in the background. It assumes that the lock is held.
func (b *Builder) drop(j *job) {
	j.cancel(stopped)
	b.wg.Go(func() {
		<-j.finished
		j.result.once.Do(func() {
			if j.roots != nil {
				j.roots.abandon()
				<-j.roots.done
			}
			j.best.Store(nil)
			j.result.err = ErrUnknownPayload
		})
	})
}
