// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/VictoriaMetrics/metrics.summariesSwapCron"),         // so is this
		goleak.IgnoreAnyFunction("github.com/ethereum/go-ethereum/core.(*txSenderCacher).cache"), // op-geth's, for the life of the process
	)
}

// wait bounds how long a test waits for what must happen.
const wait = 30 * time.Second

type harnessConfig struct {
	chain     testchain.Config
	processor func(*Config)
	interval  time.Duration // between flashblocks, 0 for 500 ms
	before    func(index uint64)
	database  func(state.Database) state.Database // of the follower
	roots     bool                                // publish them
}

// harness is a sequencer, whose flashblocks are captured, and a follower that gets of them what the test
// gives it.
type harness struct {
	*testchain.Chain

	t        testing.TB
	cfg      harnessConfig
	builder  *miner.Builder
	stream   capture
	follower *core.BlockChain
	p        *Processor
	clock    *mclock.Simulated
	steps    atomic.Int64 // flashblocks that were executed or adopted

	mu        sync.Mutex // guards the fields below
	delivered uint64
	quiet     rest
	changed   chan struct{} // closed when quiet changes
}

// rest is what the processor had taken in when it last had nothing to do.
type rest struct {
	received uint64
	head     *types.Header
}

// slot is a block with the flashblocks it was published in.
type slot struct {
	args  *gethminer.BuildPayloadArgs
	block *types.Block
	fbs   []*flashblocks.Flashblock
	built []miner.Built
}

func newHarness(t testing.TB, cfg harnessConfig) *harness {
	t.Helper()
	if cfg.interval == 0 {
		cfg.interval = 500 * time.Millisecond
	}
	h := &harness{t: t, cfg: cfg, Chain: testchain.New(t, cfg.chain), clock: new(mclock.Simulated), changed: make(chan struct{})}
	builder := miner.Config{
		Flashblocks:  params.DefaultFlashblocks,
		GasCeil:      h.Config.GasLimit,
		GasPrice:     big.NewInt(1),
		Clock:        new(testchain.JumpClock),
		Now:          h.Now,
		OnFlashblock: h.stream.add,
	}
	builder.Enabled = true
	builder.EndBuffer = 0
	builder.PublishRoots = cfg.roots
	var err error
	h.builder, err = miner.New(h, builder, &h.stream)
	require.NoError(t, err)
	require.NoError(t, h.builder.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, h.builder.Stop()) })

	h.follower = h.NewChain()
	h.p = h.newProcessor(h.follower)
	return h
}

// newProcessor starts a processor on a chain.
func (h *harness) newProcessor(chain *core.BlockChain) *Processor {
	h.t.Helper()
	cfg := Config{Chain: chain, Clock: h.clock, Metrics: metrics.NewSet()}
	if h.cfg.processor != nil {
		h.cfg.processor(&cfg)
	}
	p, err := New(cfg)
	require.NoError(h.t, err)
	p.hooks = hooks{beforeStep: h.step, idle: func() { h.idle(p) }, database: h.cfg.database}
	require.NoError(h.t, p.Start(h.t.Context()))
	h.t.Cleanup(func() { require.NoError(h.t, p.Stop()) })
	return p
}

func (h *harness) step(index uint64) {
	h.steps.Add(1)
	if h.cfg.before != nil {
		h.cfg.before(index)
	}
}

// idle notes what a processor has taken in. Only the follower's counts.
func (h *harness) idle(p *Processor) {
	if p.cfg.Chain != h.follower {
		return
	}
	var received uint64
	for _, c := range p.metrics.outcomes {
		received += c.Get()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.quiet = rest{received: received, head: p.head}
	close(h.changed)
	h.changed = make(chan struct{})
}

// sync waits until the processor has nothing more to do.
func (h *harness) sync() {
	h.t.Helper()
	deadline := time.After(wait)
	for {
		h.mu.Lock()
		done := h.quiet.received == h.delivered && h.quiet.head == h.follower.CurrentBlock()
		changed := h.changed
		h.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			require.FailNow(h.t, "the processor does not come to rest")
		}
	}
}

// send delivers flashblocks without waiting for their execution.
func (h *harness) send(fbs ...*flashblocks.Flashblock) {
	h.t.Helper()
	for _, fb := range fbs {
		h.mu.Lock()
		h.delivered++
		h.mu.Unlock()
		require.True(h.t, h.p.Deliver(h.t.Context(), fb, time.Now()))
	}
}

// deliver delivers flashblocks and waits for their execution.
func (h *harness) deliver(fbs ...*flashblocks.Flashblock) *Snapshot {
	h.t.Helper()
	h.send(fbs...)
	h.sync()
	return h.p.Snapshot()
}

// adopt delivers what the builder built.
func (h *harness) adopt(built ...miner.Built) *Snapshot {
	h.t.Helper()
	for _, b := range built {
		h.mu.Lock()
		h.delivered++
		h.mu.Unlock()
		require.True(h.t, h.p.DeliverBuilt(b))
	}
	h.sync()
	return h.p.Snapshot()
}

// land makes blocks canonical at the follower.
func (h *harness) land(blocks ...*types.Block) *Snapshot {
	h.t.Helper()
	testchain.Insert(h.t, h.follower, blocks...)
	h.sync()
	return h.p.Snapshot()
}

// slot builds the block after the sequencer's head and makes it canonical at the sequencer.
func (h *harness) slot(deposits ...*types.Transaction) slot {
	h.t.Helper()
	return h.commit(h.build(h.Attributes(h.BlockChain().CurrentBlock(), deposits...)))
}

// build builds a block.
func (h *harness) build(args *gethminer.BuildPayloadArgs) slot {
	h.t.Helper()
	h.stream.reset()
	id, err := h.builder.BuildPayload(args, miner.Options{Interval: h.cfg.interval})
	require.NoError(h.t, err)
	count := 1 + int(time.Duration(h.Config.BlockTime)*time.Second/h.cfg.interval)
	h.stream.waitFor(h.t, count)
	envelope, err := h.builder.GetPayload(id)
	require.NoError(h.t, err)
	fbs, built := h.stream.all(h.t)
	require.Len(h.t, fbs, count)
	return slot{args: args, block: h.Block(envelope, args), fbs: fbs, built: built}
}

func (h *harness) commit(s slot) slot {
	h.t.Helper()
	h.Insert(s.block)
	h.builder.NewHead(s.block.Hash())
	return s
}

// requirePrefix asserts that a snapshot is what the canonical block, which chain has, begins with.
func (h *harness) requirePrefix(chain *core.BlockChain, s *Snapshot, sl slot, index int) {
	h.t.Helper()
	require.NotNil(h.t, s)
	block := sl.block
	require.Equal(h.t, block.NumberU64(), s.Number())
	require.EqualValues(h.t, index, s.Index)
	require.Equal(h.t, block.ParentHash(), s.Header.ParentHash)
	require.Len(h.t, s.Receipts, len(s.Txs))
	require.Len(h.t, s.Senders, len(s.Txs))
	receipts := chain.GetReceiptsByHash(block.Hash())
	require.LessOrEqual(h.t, len(s.Txs), len(receipts))
	var bloom types.Bloom
	for i, tx := range s.Txs {
		require.Equal(h.t, block.Transactions()[i].Hash(), tx.Hash())
		requireReceipt(h.t, receipts[i], s.Receipts[i], len(s.Txs))
		for k, b := range receipts[i].Bloom {
			bloom[k] |= b
		}
		from, err := types.Sender(h.Signer, tx)
		require.NoError(h.t, err)
		require.Equal(h.t, from, s.Senders[i])
	}
	n := len(s.Txs)
	require.Equal(h.t, bloom, s.Header.Bloom)
	require.Equal(h.t, receipts[n-1].CumulativeGasUsed, s.Header.GasUsed)
	root := miner.NewListRoot()
	root.Extend(receipts[:n])
	require.Equal(h.t, root.Hash(), s.Header.ReceiptHash)
	if index == len(sl.fbs)-1 {
		h.requireHeader(block.Header(), s)
	}
}

// requireReceipt asserts that a receipt of a block of n transactions so far is the canonical one, but for
// the block's hash.
func requireReceipt(t testing.TB, want, have *types.Receipt, n int) {
	t.Helper()
	w, g := *want, *have
	w.BlockHash = g.BlockHash
	w.Logs, g.Logs = nil, nil
	if n < 2 {
		// op-geth derives no fees for a block with a single transaction.
		g.L1GasPrice, w.L1GasPrice = nil, nil
	}
	w.PostState, g.PostState = nil, nil
	require.Equal(t, w, g)
	require.Len(t, have.Logs, len(want.Logs))
	for i := range want.Logs {
		l := *want.Logs[i]
		l.BlockHash = have.Logs[i].BlockHash
		require.Equal(t, l, *have.Logs[i])
	}
}

// requireHeader asserts that a complete snapshot has the canonical header but for what is not known.
func (h *harness) requireHeader(canonical *types.Header, s *Snapshot) {
	h.t.Helper()
	have := s.Block().Header()
	have.Root = canonical.Root
	have.WithdrawalsHash = canonical.WithdrawalsHash
	require.Equal(h.t, canonical.Hash(), have.Hash())
}
