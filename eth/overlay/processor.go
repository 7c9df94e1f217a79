// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// inputQueue is how many flashblocks may wait for execution: a few seconds at 20 ms. Whoever delivers
// from a stream waits when it is full, so that the upstream sees a slow client and a later reconnect resumes
// where reading stopped. The processor holds as many again that it has looked at.
const inputQueue = 128

// input is one flashblock with the time of its arrival.
type input struct {
	fb      *flashblocks.Flashblock
	built   *miner.Built // what executing it gave, if this node's builder made it
	arrived time.Time
}

// Processor executes flashblocks and publishes snapshots. Deliver, DeliverBuilt, Snapshot and Subscribe are
// safe for concurrent use.
type Processor struct {
	cfg     Config
	metrics *meters

	inputs  chan input
	tip     atomic.Pointer[Snapshot]
	events  broadcaster
	running running
	hooks   hooks
	waits   atomic.Int64 // length of waiting

	// Owned by the goroutine of run.
	head     *types.Header // canonical, as last looked at
	headHash common.Hash
	sequence flashblocks.Sequence
	items    []input // the flashblocks that sequence holds
	waiting  []input // what follows, taken from inputs
	verdict  error   // why the attempt in sequence cannot be opened, nil if that was not tried
	block    *block  // newest pending block, nil if there is none

	// A block in progress whose state was lost is executed again. Nobody is told before it is known
	// whether the outcome is what redo, the last snapshot of the former execution, said.
	redo   *Snapshot
	redone []*Snapshot

	withdrawn []*Snapshot // to be told with the next event
	hidden    bool        // pending stood still for too long
	progress  mclock.AbsTime
	blockTime time.Duration // of the chain, from its headers

	done chan struct{} // closed by Stop
	once sync.Once     // for done
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// hooks let tests act at moments that are otherwise a matter of luck.
type hooks struct {
	beforeStep func(index uint64)
	idle       func()
	database   func(state.Database) state.Database // what stands between the chain's state and its readers
}

// New creates a processor. It starts nothing.
func New(cfg Config) (*Processor, error) {
	if cfg.Chain == nil {
		return nil, errNoChain
	}
	if !cfg.Chain.Config().IsOptimism() {
		return nil, errNotOptimism
	}
	p := &Processor{cfg: cfg.sanitize(), inputs: make(chan input, inputQueue), done: make(chan struct{})}
	p.metrics = newMeters(p)
	return p, nil
}

// stateDatabase opens the state database of the chain as the chain itself does.
func (p *Processor) stateDatabase() state.Database {
	chain := p.cfg.Chain
	db := state.Database(state.NewDatabase(chain.TrieDB(), chain.CodeDB()).WithSnapshot(chain.Snapshots()))
	if p.hooks.database != nil {
		db = p.hooks.database(db)
	}
	return db
}

// Start begins to follow the canonical chain and the delivered flashblocks, until Stop.
func (p *Processor) Start(ctx context.Context) error {
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	var (
		heads  = make(chan core.ChainHeadEvent, headQueue)
		sub    = p.cfg.Chain.SubscribeChainHeadEvent(heads)
		signal = make(chan struct{}, 1)
	)
	p.wg.Go(func() {
		defer sub.Unsubscribe()
		p.watch(ctx, heads, signal)
	})
	p.wg.Go(func() { p.run(ctx, signal) })
	return nil
}

// Stop ends the processor and every subscription, and waits for both.
func (p *Processor) Stop() error {
	p.once.Do(func() { close(p.done) })
	if p.stop != nil {
		p.stop()
	}
	p.wg.Wait()
	p.tip.Store(nil)
	p.events.close()
	return nil
}

// Deliver hands over a flashblock in the order of the stream. It waits while the queue is full, and
// returns false if ctx ended or the processor stopped before.
func (p *Processor) Deliver(ctx context.Context, fb *flashblocks.Flashblock, arrived time.Time) bool {
	select {
	case p.inputs <- input{fb: fb, arrived: arrived}:
		return true
	case <-p.done:
		return false
	case <-ctx.Done():
		return false
	}
}

// DeliverBuilt hands over a flashblock of this node's own builder, which is not executed again. It never
// waits: if the queue is full the flashblock is lost, which DeliverBuilt tells, and pending stays at the
// prefix before it until the block is canonical.
func (p *Processor) DeliverBuilt(built miner.Built) bool {
	select {
	case p.inputs <- input{fb: built.Flashblock, built: &built, arrived: p.cfg.Now()}:
		return true
	default:
		p.metrics.overflows.Inc()
		return false
	}
}

// Snapshot returns the newest snapshot, nil if pending is latest. It never returns one that the canonical
// chain has reached or left, however late the processor is.
func (p *Processor) Snapshot() *Snapshot {
	s := p.tip.Load()
	if s == nil {
		return nil
	}
	if head := p.cfg.Chain.CurrentBlock(); !s.leads(head.Number.Uint64(), p.running.hash(head)) {
		return nil
	}
	return s
}

// Subscribe delivers every event from now on. The pointer that Snapshot returns is never older than the
// events delivered.
func (p *Processor) Subscribe() *Subscription { return p.events.subscribe() }

// run executes one flashblock at a time. Canonical heads go first: they decide what the flashblocks that
// wait are worth.
func (p *Processor) run(ctx context.Context, heads <-chan struct{}) {
	p.advanced()
	for ctx.Err() == nil {
		p.follow()
		p.lookAhead()
		if p.advance() {
			continue
		}
		p.settle()
		if p.next() {
			continue
		}
		expiry, cancel := p.expiry()
		if p.hooks.idle != nil {
			p.hooks.idle()
		}
		select {
		case <-heads:
		case in := <-p.inputs:
			p.waiting = append(p.waiting, in)
		case <-expiry:
			p.expire()
		case <-ctx.Done():
		}
		cancel()
	}
}
