// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"math/big"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// newBench returns a harness and a slot with so many transactions beside the deposit: transfers, storage
// writes, logs and reverts.
func newBench(b *testing.B, txs int, interval time.Duration) (*harness, slot) {
	b.Helper()
	const accounts = 500
	h := newHarness(b, harnessConfig{
		chain:    testchain.Config{Fork: testchain.Jovian, Accounts: accounts, GasLimit: 400_000_000, Scalar: 1},
		interval: interval,
	})
	list := make([]*types.Transaction, 0, txs)
	for i := range txs {
		list = append(list, h.mixed(i%accounts, uint64(i/accounts)))
	}
	h.Send(list...)
	s := h.slot()
	require.Len(b, s.block.Transactions(), txs+1)
	return h, s
}

func (h *harness) mixed(account int, nonce uint64) *types.Transaction {
	tip := uint64(1000 + account*7919%1000)
	switch account % 8 {
	case 0:
		return h.Tx(account, nonce, tip, &testchain.StorageAddr, 60_000, testchain.Words(uint64(account), nonce+1))
	case 1:
		return h.Tx(account, nonce, tip, &testchain.LoggerAddr, 30_000, nil)
	case 2:
		return h.Tx(account, nonce, tip, &testchain.ReverterAddr, 30_000, nil)
	default:
		return h.Transfer(account, nonce, tip)
	}
}

func median(list []float64) float64 {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

// decodePlain makes the transactions anew, so that no sender is cached.
func decodePlain(b *testing.B, raws [][]byte) types.Transactions {
	b.Helper()
	txs := make(types.Transactions, len(raws))
	for i, raw := range raws {
		txs[i] = new(types.Transaction)
		require.NoError(b, txs[i].UnmarshalBinary(raw))
	}
	return txs
}

// BenchmarkArrivalToSnapshot compares the time from a flashblock's arrival to its snapshot with what op-geth
// needs to execute the same transactions, from the same bytes, on an ordinary state: with the senders recovered
// in the background, as its import and the overlay do it, and without.
func BenchmarkArrivalToSnapshot(b *testing.B) {
	h, s := newBench(b, 1500, 200*time.Millisecond)
	var ratios, serials, ours, bare []float64
	for b.Loop() {
		var mine, theirs, serial time.Duration
		db, err := h.follower.State()
		require.NoError(b, err)
		exec := newPlain(b, h.follower, s.block, db.Copy())
		alone := newPlain(b, h.follower, s.block, db)
		p := h.newProcessor(h.follower)
		sub := p.Subscribe()
		for _, fb := range s.fbs {
			runtime.GC()
			start := time.Now()
			alone.run(decodePlain(b, fb.Diff.Transactions))
			serial += time.Since(start)
			runtime.GC()
			start = time.Now()
			txs := decodePlain(b, fb.Diff.Transactions)
			core.SenderCacher().Recover(h.Signer, txs)
			exec.run(txs)
			theirs += time.Since(start)
			runtime.GC()
			start = time.Now()
			require.True(b, p.Deliver(b.Context(), fb, start))
			h.next(sub)
			mine += time.Since(start)
		}
		require.NoError(b, p.Stop())
		ours, bare = append(ours, float64(mine.Microseconds())/1000), append(bare, float64(theirs.Microseconds())/1000)
		ratios = append(ratios, float64(mine)/float64(theirs))
		serials = append(serials, float64(mine)/float64(serial))
	}
	b.ReportMetric(median(ratios), "ours/bare")
	b.ReportMetric(median(serials), "ours/serial")
	b.ReportMetric(median(ours), "ms/ours")
	b.ReportMetric(median(bare), "ms/bare")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSnapshotGrowth compares the cost of the snapshots at the end of a block of 3,000 transactions with
// those at its beginning, per transaction.
func BenchmarkSnapshotGrowth(b *testing.B) {
	h, s := newBench(b, 3000, 20*time.Millisecond)
	var ratios []float64
	for b.Loop() {
		p := h.newProcessor(h.follower)
		sub := p.Subscribe()
		var cost []float64
		runtime.GC()
		for _, fb := range s.fbs {
			start := time.Now()
			require.True(b, p.Deliver(b.Context(), fb, start))
			h.next(sub)
			if n := len(fb.Diff.Transactions); n > 1 {
				cost = append(cost, float64(time.Since(start))/float64(n))
			}
		}
		require.NoError(b, p.Stop())
		n := len(cost) / 4
		ratios = append(ratios, median(cost[len(cost)-n:])/median(cost[1:n+1]))
	}
	b.ReportMetric(median(ratios), "last/first")
	b.ReportMetric(float64(len(s.fbs)), "flashblocks")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLayerMemory measures what a layer keeps in memory beyond its diff's own size, and what remains
// after many blocks.
func BenchmarkLayerMemory(b *testing.B) {
	h, s := newBench(b, 1500, 200*time.Millisecond)
	const stores = 40
	for b.Loop() {
		before := heap()
		keep := make([]*store, stores)
		entries := 0
		for i := range keep {
			keep[i] = &store{anchor: h.follower.CurrentBlock(), db: h.p.stateDatabase()}
			for _, built := range s.built {
				keep[i].add(built.Diff)
				for _, acct := range built.Diff.Accounts {
					entries += 1 + len(acct.Storage)
				}
			}
		}
		b.ReportMetric(float64(heap()-before)/float64(entries), "B/entry")
		runtime.KeepAlive(keep)
	}
	b.ReportMetric(0, "ns/op")
}

// heap is the memory in use after a collection, and another of what the first left in pools.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkMemoryOverBlocks runs 2,000 blocks with 10,000 attempts through a processor while they become
// canonical, each when the next one has begun on top of it. It reports what the processor holds at the end, which
// is what the heap shrinks by when it is let go, and by how much the heap grows per block in the second half beyond
// what it grows by for a chain that imports the same blocks without one. The chain's database is in memory, whose
// maps grow in steps: the latter is right to some hundred bytes.
func BenchmarkMemoryOverBlocks(b *testing.B) {
	const blocks, attempts = 2_000, 5
	h := newHarness(b, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}, interval: time.Second})
	slots := h.slots(blocks)
	for i := range slots {
		slots[i].built = nil
	}
	growth := func(chain *core.BlockChain, each func(n int, land func())) float64 {
		var half int64
		for n, s := range slots {
			each(n, func() { testchain.Insert(b, chain, s.block) })
			if n == blocks/2 {
				half = heap()
			}
		}
		grown := float64(heap()-half) / (blocks/2 - 1)
		runtime.KeepAlive(chain)
		return grown
	}
	for b.Loop() {
		alone := growth(h.NewChain(), func(_ int, land func()) { land() })

		chain := h.NewChain()
		p, err := New(Config{Chain: chain})
		require.NoError(b, err)
		require.NoError(b, p.Start(b.Context()))
		sub := p.Subscribe()
		landBefore := func() {}
		grown := growth(chain, func(n int, land func()) {
			for attempt := range attempts {
				for _, fb := range slots[n].fbs {
					cpy := *fb
					cpy.PayloadID[0], cpy.PayloadID[1], cpy.PayloadID[2] = byte(attempt), byte(n), byte(n>>8)
					require.True(b, p.Deliver(b.Context(), &cpy, time.Now()))
					h.next(sub)
				}
			}
			landBefore() // below what is pending
			if n > 0 {
				require.Nil(b, h.next(sub).Snapshot.Parent)
			}
			landBefore = land
		})
		landBefore()
		require.Nil(b, h.next(sub).Snapshot)
		require.EqualValues(b, blocks-1, p.metrics.rebased.Get())
		require.Zero(b, p.metrics.failures.Get()+p.metrics.reorged.Get())
		before := heap()
		require.NoError(b, p.Stop())
		p, sub = nil, nil
		b.ReportMetric(float64(before-heap()), "B/held")
		b.ReportMetric(grown-alone, "B/block")
		b.ReportMetric(alone, "B/block-of-the-chain")
		runtime.KeepAlive(chain)
	}
	b.ReportMetric(blocks, "blocks")
	b.ReportMetric(blocks*attempts, "attempts")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCall compares the same calls on the state of a pending block of 1,500 transactions and on the
// canonical state after it.
func BenchmarkCall(b *testing.B) {
	h, s := newBench(b, 1500, 200*time.Millisecond)
	snapshot := h.deliver(s.fbs...)
	canonical := h.BlockChain()
	var ratios []float64
	run := func(header *types.Header, open func() (*state.StateDB, error)) time.Duration {
		start := time.Now()
		for i := range 2000 {
			db, err := open()
			require.NoError(b, err)
			evm := vm.NewEVM(core.NewEVMBlockContext(header, canonical, nil, canonical.Config(), db), db, canonical.Config(), vm.Config{NoBaseFee: true})
			_, err = core.ApplyMessage(evm, &core.Message{
				From: h.Addrs[i%500], To: &testchain.StorageAddr, Value: new(big.Int), GasLimit: 100_000,
				GasPrice: new(big.Int), GasFeeCap: new(big.Int), GasTipCap: new(big.Int),
				Data: testchain.Words(uint64(i%500), uint64(i)), SkipNonceChecks: true, SkipTransactionChecks: true,
			}, core.NewGasPool(100_000))
			require.NoError(b, err)
		}
		return time.Since(start)
	}
	for b.Loop() {
		latest := run(s.block.Header(), func() (*state.StateDB, error) { return canonical.StateAt(s.block.Root()) })
		pending := run(snapshot.Header, snapshot.State)
		ratios = append(ratios, float64(latest)/float64(pending))
	}
	b.ReportMetric(median(ratios), "pending/latest")
	b.ReportMetric(0, "ns/op")
}
