// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
)

// benchSenders is how many accounts the benchmark's pool comes from.
const benchSenders = 1500

// cpuTime is what the process has used of all cores so far.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// newBench returns a harness in which a slot takes no longer than its work.
func newBench(b *testing.B) *harness {
	b.Helper()
	var h *harness
	h = newHarness(b, harnessConfig{fork: jovian, accounts: benchSenders, scalar: 50, builder: func(c *Config) {
		c.Clock = new(jumpClock)
		c.EndBuffer = 0
		c.Now = func() time.Time { return time.Unix(int64(h.chain.CurrentBlock().Time), 0) }
	}})
	return h
}

// fill brings the pool to so many transactions of every account, a full block and more: transfers, storage
// writes, logs and reverts.
func (h *harness) fill(nonces uint64) {
	h.t.Helper()
	var txs []*types.Transaction
	state, err := h.chain.State()
	require.NoError(h.t, err)
	for i, sender := range h.addrs {
		for nonce := state.GetNonce(sender); nonce < state.GetNonce(sender)+nonces; nonce++ {
			if tx := h.mixed(i, nonce); !h.txpool.Has(tx.Hash()) {
				txs = append(txs, tx)
			}
		}
	}
	h.send(txs...)
}

// mixed is the transaction of an account at a nonce.
func (h *harness) mixed(account int, nonce uint64) *types.Transaction {
	tip := uint64(1000 + (account*7919)%1000)
	switch account % 8 {
	case 0:
		return h.tx(account, nonce, tip, &storageAddr, 60_000, slots(uint64(account), nonce+1))
	case 1:
		return h.tx(account, nonce, tip, &loggerAddr, 30_000, nil)
	case 2:
		return h.tx(account, nonce, tip, &reverterAddr, 30_000, nil)
	default:
		return h.transfer(account, nonce, tip)
	}
}

// buildGeth lets op-geth's miner build one full block from the pool.
func (h *harness) buildGeth(m *gethminer.Miner, args *gethminer.BuildPayloadArgs) (*engine.ExecutionPayloadEnvelope, time.Duration) {
	h.t.Helper()
	start := cpuTime()
	payload, err := m.BuildPayload(h.t.Context(), args, false)
	require.NoError(h.t, err)
	payload.WaitFull()
	took := cpuTime() - start
	return payload.ResolveFull(), took
}

// buildLive runs a whole slot of the builder, fetches the payload, and waits until the client of the stream
// has everything.
func (h *harness) buildLive(live *liveStream, args *gethminer.BuildPayloadArgs, interval time.Duration) (*engine.ExecutionPayloadEnvelope, time.Duration) {
	h.t.Helper()
	start := cpuTime()
	envelope, _ := h.buildOurs(args, interval)
	live.delivered(h.t)
	return envelope, cpuTime() - start
}

// buildOurs runs a whole slot of the builder and fetches the payload.
func (h *harness) buildOurs(args *gethminer.BuildPayloadArgs, interval time.Duration) (*engine.ExecutionPayloadEnvelope, time.Duration) {
	h.t.Helper()
	start := cpuTime()
	id, err := h.builder.BuildPayload(args, Options{Interval: interval})
	require.NoError(h.t, err)
	<-h.builder.find(id).finished
	envelope, err := h.builder.GetPayload(id)
	require.NoError(h.t, err)
	return envelope, cpuTime() - start
}

func median(list []float64) float64 {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

// BenchmarkBuildFullBlock compares the CPU of building one full block: op-geth's miner, ten flashblocks
// and a hundred, from the same pool, in turn. The flashblocks are streamed to a client.
func BenchmarkBuildFullBlock(b *testing.B) {
	h := newBench(b)
	h.fill(2)
	var (
		live  = h.goLive()
		stock = h.stock(time.Hour)
		args  = h.attributes(h.chain.CurrentBlock())

		ratio10, ratio100, gethMS []float64
		salt                      uint64
	)
	b.Cleanup(stock.Close)
	fresh := func() *gethminer.BuildPayloadArgs {
		salt++
		cpy := *args
		cpy.Random = common.BigToHash(new(big.Int).SetUint64(salt))
		return &cpy
	}
	for b.Loop() {
		runtime.GC()
		ref, geth := h.buildGeth(stock, fresh())
		runtime.GC()
		ours, ten := h.buildLive(live, fresh(), 200*time.Millisecond)
		runtime.GC()
		_, hundred := h.buildLive(live, fresh(), 20*time.Millisecond)
		require.Greater(b, ref.ExecutionPayload.GasUsed, uint64(testGasLimit*95/100), "the block is full")
		require.Greater(b, ours.ExecutionPayload.GasUsed, uint64(testGasLimit*95/100), "the block is full")
		ratio10 = append(ratio10, float64(ten)/float64(geth))
		ratio100 = append(ratio100, float64(hundred)/float64(ten))
		gethMS = append(gethMS, float64(geth)/1e6)
	}
	b.ReportMetric(median(ratio10), "cpu/op-geth")
	b.ReportMetric(median(ratio100), "cpu100/cpu10")
	b.ReportMetric(median(gethMS), "op-geth-cpu-ms")
}

// BenchmarkEmptyFlashblocks compares the CPU of a slot of a hundred flashblocks in which none of fifty
// thousand pending transactions fits with one walk over that pool.
func BenchmarkEmptyFlashblocks(b *testing.B) {
	var (
		h      = newBench(b)
		filter = txpool.PendingFilter{MinTip: uint256.NewInt(1), BaseFee: uint256.MustFromBig(h.chain.CurrentBlock().BaseFee)}
		ratios []float64
		salt   uint64
		to     = common.Address{1}
	)
	var txs []*types.Transaction
	for n := range 50_000/len(h.keys) + 1 {
		for i := range h.keys {
			txs = append(txs, h.tx(i, uint64(n), uint64(1+i), &to, 1_000_000, nil))
		}
	}
	h.send(txs...)
	h.builder.SetGasLimit(100_000) // the L1 attributes and then nothing that large
	args := h.attributes(h.chain.CurrentBlock())
	for b.Loop() {
		runtime.GC()
		start := cpuTime()
		_, count := h.txpool.Pending(filter)
		walk := cpuTime() - start
		require.GreaterOrEqual(b, count, 50_000)
		runtime.GC()
		salt++
		cpy := *args
		cpy.Random = common.BigToHash(new(big.Int).SetUint64(salt))
		envelope, slot := h.buildOurs(&cpy, 20*time.Millisecond)
		require.Len(b, envelope.ExecutionPayload.Transactions, 1)
		ratios = append(ratios, float64(slot)/float64(walk))
		h.stream.reset()
	}
	b.ReportMetric(median(ratios), "cpu/pool-walk")
}

// BenchmarkGetPayload compares the latency of fetching a full block, whose tries were hashed while it was
// built, with hashing the same changes at once.
func BenchmarkGetPayload(b *testing.B) {
	h := newBench(b)
	h.fill(2)
	var (
		args   = h.attributes(h.chain.CurrentBlock())
		ratios []float64
		roots  []float64
		salt   uint64

		executed *recorder // the job lets go of it when it ends
	)
	h.builder.hooks.beforePublish = func(uint64) {
		h.builder.mu.Lock()
		defer h.builder.mu.Unlock()
		executed = h.builder.live.env.state
	}
	for b.Loop() {
		salt++
		cpy := *args
		cpy.Random = common.BigToHash(new(big.Int).SetUint64(salt))
		id, err := h.builder.BuildPayload(&cpy, Options{})
		require.NoError(b, err)
		j := h.builder.find(id)
		<-j.finished
		for j.roots.settled.Load() < j.roots.handed {
			runtime.Gosched() // in service there is the end buffer between the two
		}
		start := time.Now()
		envelope, err := h.builder.GetPayload(id)
		fetched := time.Since(start)
		require.NoError(b, err)
		require.Greater(b, envelope.ExecutionPayload.GasUsed, uint64(testGasLimit*95/100), "the block is full")

		start = time.Now()
		root := executed.IntermediateRoot(true)
		atOnce := time.Since(start)
		require.Equal(b, envelope.ExecutionPayload.StateRoot, root)
		ratios = append(ratios, float64(fetched)/float64(atOnce))
		roots = append(roots, float64(atOnce)/1e6)
		h.stream.reset()
	}
	b.ReportMetric(median(ratios), "latency/root-at-once")
	b.ReportMetric(median(roots), "root-at-once-ms")
}

// BenchmarkPublishOffset measures how far from their deadlines flashblocks are published in real time to a
// client, with more in the pool than the block holds.
func BenchmarkPublishOffset(b *testing.B) {
	var (
		h      *harness
		offset time.Duration // of the chain's time from the wall clock's
	)
	h = newHarness(b, harnessConfig{fork: jovian, accounts: benchSenders, scalar: 50, builder: func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(offset) }
	}})
	interval, live := h.builder.config.Interval, h.goLive()
	var deviations []float64
	for b.Loop() {
		h.fill(2)
		parent := h.chain.CurrentBlock()
		offset = time.Until(time.Unix(int64(parent.Time), 0))
		args := h.attributes(parent)
		id, err := h.builder.BuildPayload(args, Options{})
		require.NoError(b, err)
		j := h.builder.find(id)
		<-j.finished
		envelope, err := h.builder.GetPayload(id)
		require.NoError(b, err)
		for _, fb := range live.delivered(b) {
			if fb.index > 0 {
				late := fb.at.Sub(j.schedule.deadlines[fb.index-1])
				deviations = append(deviations, float64(late.Abs())/float64(interval))
			}
		}
		require.Greater(b, envelope.ExecutionPayload.GasUsed, uint64(testGasLimit*90/100), "the block is full")
		h.insert(envelope, args)
	}
	slices.Sort(deviations)
	b.ReportMetric(deviations[len(deviations)/2], "p50-deviation/interval")
	b.ReportMetric(deviations[len(deviations)*99/100], "p99-deviation/interval")
}
