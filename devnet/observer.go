// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/devnet/published"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

const (
	headInterval    = 200 * time.Millisecond // between two looks at the chain's head
	headTimeout     = 2 * time.Second        // of one such look
	observerTimeout = 5 * time.Second        // for the stream's client to stop
)

// Sink receives what an Observer sees. Its methods are called one at a time.
type Sink interface {
	// Flashblock is called as a flashblock arrives; its fate is not known yet.
	Flashblock(fb Flashblock)
	// Settled is called with every flashblock again, once its block was sealed or another one was.
	Settled(fb Flashblock)
	// Block is called once a sealed block was compared with its flashblocks.
	Block(block Block)
}

// Summary counts what an Observer saw.
type Summary struct {
	Blocks      int // sealed blocks that were compared
	Flashblocks int
	Txs         int    // in sealed blocks, deposits included
	Matching    int    // blocks that are exactly what was published
	Unstreamed  int    // blocks that were not streamed, without user transactions
	Unobserved  int    // blocks whose stream was not seen from the start
	Extended    int    // blocks that hold more than was published, behind boost
	Fallback    int    // blocks of the local execution layer, behind boost
	Differing   int    // blocks that are not what was published
	Difference  string // the first difference, in words
}

// ObserverConfig configures an Observer.
type ObserverConfig struct {
	Stream    string        // URL of the flashblocks stream
	RPC       string        // URL of the node's RPC
	BlockTime time.Duration // of the L2
	Interval  time.Duration // between two flashblocks
	Boost     bool          // the stream is boost's, who may also seal the local execution layer's block
	Sink      Sink
}

// Observer follows the stream and the chain, and compares every sealed block with its flashblocks.
type Observer struct {
	cfg    ObserverConfig
	client *rpc.Client
	sub    *stream.Subscriber
	cancel context.CancelFunc
	wg     sync.WaitGroup

	// Used by the goroutine that follows the chain alone.
	heads map[uint64]common.Hash // canonical hashes seen
	noted map[common.Hash]uint64 // blocks that were or will be judged, with their numbers
	next  uint64                 // block number to look at next

	mu        sync.Mutex // guards everything below, and serialises the sink
	ledger    *ledger
	waiting   []*sealedBlock // sealed, not judged yet
	published uint64         // highest block number with flashblocks
	judged    uint64         // highest block number judged
	finishing bool           // blocks above published are ignored
	summary   Summary
}

// NewObserver returns an observer that is not connected.
func NewObserver(cfg ObserverConfig) *Observer {
	return &Observer{
		cfg:    cfg,
		ledger: newLedger(newSlotPlan(cfg.BlockTime, cfg.Interval), cfg.Boost),
		heads:  make(map[uint64]common.Hash),
		noted:  make(map[common.Hash]uint64),
		next:   1,
	}
}

// Start connects to the stream and begins to follow the chain.
func (o *Observer) Start(ctx context.Context) error {
	client, err := rpc.DialContext(ctx, o.cfg.RPC)
	if err != nil {
		return fmt.Errorf("connect to the node: %w", err)
	}
	o.client = client
	o.sub = published.NewSubscriber(published.Config{
		URL:        o.cfg.Stream,
		Name:       "devnet",
		Queue:      1024, // a terminal that blocks must not look like a gap in the stream
		BackoffMax: time.Second,
		Flashblock: o.deliver,
		Garbled: func(d stream.Delivery, err error) {
			log.Warn("Cannot decode a flashblock", "block", d.BlockNumber, "index", d.Index, "err", err)
		},
		State: o.connection,
	})
	// The end of ctx ends the dial only: Finish still needs the stream.
	ctx, o.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := o.sub.Start(ctx); err != nil {
		o.cancel()
		client.Close()
		return err
	}
	o.wg.Go(func() { o.follow(ctx) })
	return nil
}

// Finish waits until the block in progress is sealed and judged, and ignores what is published after
// it, so that the last flashblocks of a run have a known fate. It gives up after a slot or the end of
// ctx.
func (o *Observer) Finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.BlockTime+settleTime)
	defer cancel()

	o.mu.Lock()
	o.finishing = true
	o.mu.Unlock()
	ticker := time.NewTicker(headInterval)
	defer ticker.Stop()
	for !o.finished() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// finished tells whether every block with published flashblocks was judged.
func (o *Observer) finished() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.judged >= o.published && (len(o.waiting) == 0 || o.waiting[0].Number > o.published)
}

// Stop ends following and returns the summary.
func (o *Observer) Stop() (Summary, error) {
	o.cancel()
	o.wg.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), observerTimeout)
	defer cancel()

	err := o.sub.Stop(ctx)
	o.client.Close()

	o.mu.Lock()
	defer o.mu.Unlock()
	for _, fb := range o.ledger.settle(math.MaxUint64) {
		o.cfg.Sink.Settled(fb)
	}
	return o.summary, err
}

// Summary returns the counts so far.
func (o *Observer) Summary() Summary {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.summary
}

// deliver takes one flashblock of the stream.
func (o *Observer) deliver(fb *flashblocks.Flashblock, arrived time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if number := fb.Metadata.BlockNumber; number > o.published {
		if o.finishing {
			return
		}
		o.published = number
	}
	o.summary.Flashblocks++
	o.cfg.Sink.Flashblock(o.ledger.add(fb, arrived))
}

// connection notes a change of the connection to the stream.
func (o *Observer) connection(state stream.State) {
	if state.Connected {
		return
	}
	log.Warn("The stream of flashblocks is lost", "err", state.Reason)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ledger.lost()
}

// follow looks at the head until ctx ends.
func (o *Observer) follow(ctx context.Context) {
	ticker := time.NewTicker(headInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// The node may be down on purpose: it is asked again.
		if err := o.look(ctx); err != nil && ctx.Err() == nil {
			log.Debug("Cannot follow the chain", "err", err)
		}
	}
}

// look fetches the blocks that are new since the last time, a reorganised chain's included, and
// judges what can be judged.
func (o *Observer) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()

	head, err := o.fetch(ctx, "latest")
	if err != nil {
		return err
	}
	next, err := o.forkPoint(ctx, head)
	if err != nil {
		return err
	}
	for ; next <= head.Number; next++ {
		block := head
		if next < head.Number {
			if block, err = o.fetch(ctx, hexutil.Uint64(next).String()); err != nil {
				return err
			}
		}
		o.note(block)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.judge(time.Now())
	return nil
}

// forkPoint returns the number from which on the chain up to head is not known yet.
func (o *Observer) forkPoint(ctx context.Context, head *sealedBlock) (uint64, error) {
	next := min(o.next, head.Number+1)
	for block := head; next > 1; next-- {
		if block.Number != next-1 {
			var err error
			if block, err = o.fetch(ctx, hexutil.Uint64(next-1).String()); err != nil {
				return 0, err
			}
		}
		known, ok := o.heads[next-1]
		if !ok || known == block.Hash {
			break
		}
	}
	return next, nil
}

// note records a canonical block. One that comes back, because the node lost it in a crash or the
// chain was reorganised twice, is not judged again.
func (o *Observer) note(block *sealedBlock) {
	o.heads[block.Number] = block.Hash
	delete(o.heads, block.Number-ledgerBlocks)
	o.next = block.Number + 1
	if _, again := o.noted[block.Hash]; again || block.Number == 0 {
		return
	}
	o.noted[block.Hash] = block.Number
	maps.DeleteFunc(o.noted, func(_ common.Hash, number uint64) bool { return number+ledgerBlocks < block.Number })

	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, block)
}

// judge compares the waiting blocks in order. It assumes that mu is held.
func (o *Observer) judge(now time.Time) {
	for len(o.waiting) > 0 && (!o.finishing || o.waiting[0].Number <= o.published) {
		block, done := o.ledger.compare(o.waiting[0], now)
		if !done {
			return
		}
		o.waiting = o.waiting[1:]
		o.judged = max(o.judged, block.Number)
		o.count(block)
		o.cfg.Sink.Block(block)
		for _, fb := range o.ledger.settle(block.Number) {
			o.cfg.Sink.Settled(fb)
		}
	}
}

// count adds a judged block to the summary. It assumes that mu is held.
func (o *Observer) count(block Block) {
	o.summary.Blocks++
	o.summary.Txs += block.Txs
	switch block.Verdict {
	case Matching:
		o.summary.Matching++
	case Unstreamed:
		o.summary.Unstreamed++
	case Unobserved:
		o.summary.Unobserved++
	case Extended:
		o.summary.Extended++
	case Fallback:
		o.summary.Fallback++
	case Differing:
		o.summary.Differing++
		if o.summary.Difference == "" {
			o.summary.Difference = fmt.Sprintf("block %d (%v): %s", block.Number, block.Hash, block.Reason)
		}
	}
}

// errNoBlock is returned when the node does not have a block it was asked for.
var errNoBlock = errors.New("the node does not have the block")

// fetch returns a canonical block by number or tag.
func (o *Observer) fetch(ctx context.Context, number string) (*sealedBlock, error) {
	var raw *struct {
		Number       hexutil.Uint64 `json:"number"`
		Hash         common.Hash    `json:"hash"`
		ReceiptsRoot common.Hash    `json:"receiptsRoot"`
		GasUsed      hexutil.Uint64 `json:"gasUsed"`
		Transactions []struct {
			Hash common.Hash    `json:"hash"`
			Type hexutil.Uint64 `json:"type"`
		} `json:"transactions"`
	}
	if err := o.client.CallContext(ctx, &raw, "eth_getBlockByNumber", number, true); err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, errNoBlock
	}
	block := &sealedBlock{
		Number: uint64(raw.Number), Hash: raw.Hash, ReceiptsRoot: raw.ReceiptsRoot,
		GasUsed: uint64(raw.GasUsed), Seen: time.Now(),
	}
	for _, tx := range raw.Transactions {
		block.Txs = append(block.Txs, tx.Hash)
		if tx.Type != types.DepositTxType {
			block.UserTxs++
		}
	}
	return block, nil
}
