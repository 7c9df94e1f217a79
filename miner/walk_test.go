// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
)

// countedPool counts the walks over a pool.
type countedPool struct {
	pool  pool
	walks atomic.Int64
}

// Pending implements pool.
func (p *countedPool) Pending(filter txpool.PendingFilter) (map[common.Address][]*txpool.LazyTransaction, int) {
	p.walks.Add(1)
	return p.pool.Pending(filter)
}

// Payloads on one parent share a walk over the pool, and miss nothing that comes later.
func TestPayloadsShareAWalk(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian, accounts: 20})
	counted := &countedPool{pool: s.txpool}
	s.builder.walks.pool = counted
	var all []*types.Transaction
	arrive := func() {
		tx := s.transfer(len(all), 0, uint64(1000-len(all)))
		all = append(all, tx)
		s.harness.send(tx)
	}
	args := s.attributes(s.chain.CurrentBlock())
	var last *slot
	for i := range 10 {
		arrive()
		args := *args
		args.Random[0] = byte(i)
		before := last
		last = s.begin(&args)
		if before != nil {
			<-before.job.finished // its timer is not to be taken for the next one's
			last.idle()
		}
		require.EqualValues(t, 1, counted.walks.Load())
	}
	require.Equal(t, hashesOf(all...), hashes(t, last.step()))
	last.finish()

	next := s.begin(s.attributes(s.chain.CurrentBlock()))
	require.EqualValues(t, 2, counted.walks.Load(), "another parent")
	next.finish()
	awaitWalks := func(n int64) { // of the payload under construction, before another supersedes it
		require.Eventually(t, func() bool { return counted.walks.Load() == n }, 30*time.Second, 50*time.Microsecond, "another filter")
	}
	s.builder.SetGasTip(big.NewInt(7))
	args = s.attributes(s.chain.CurrentBlock())
	s.begin(args)
	s.builder.SetGasTip(big.NewInt(8))
	again := *args
	again.Random[0] = 1
	awaitWalks(3)
	s.begin(&again)
	awaitWalks(4)
}

// What is announced while the pool is walked, and more than is kept of that, is not lost.
func TestWalkAndAnnouncements(t *testing.T) {
	t.Parallel()
	chain := newHarness(t, harnessConfig{fork: jovian})
	counted := &countedPool{pool: chain.txpool}
	w := &walks{pool: counted, deliver: func() bool { return true }}
	key := walkKey{common.Hash{1}, txpool.PendingFilter{MinTip: uint256.NewInt(1)}}
	tx := types.NewTx(&types.LegacyTx{})
	w.announced([]*types.Transaction{tx}) // before the first walk: it will be in that
	_, since := w.walk(key, false)
	require.Empty(t, since)
	w.announced([]*types.Transaction{tx})
	_, since = w.walk(key, false)
	require.Len(t, since, 1)
	require.EqualValues(t, 1, counted.walks.Load())
	_, since = w.walk(key, true)
	require.Empty(t, since)
	require.EqualValues(t, 2, counted.walks.Load(), "the caller has lost some")
	w.announced(slices.Repeat([]*types.Transaction{tx}, inboxLimit))
	_, since = w.walk(key, false)
	require.Len(t, since, inboxLimit)
	w.announced([]*types.Transaction{tx})
	_, since = w.walk(key, false)
	require.Empty(t, since)
	require.EqualValues(t, 3, counted.walks.Load(), "too much to keep")
	w.close()
	w.walk(key, false)
	require.EqualValues(t, 4, counted.walks.Load())
}

func TestWalkKey(t *testing.T) {
	t.Parallel()
	base := func() walkKey {
		return walkKey{common.Hash{1}, txpool.PendingFilter{MinTip: uint256.NewInt(1), BaseFee: uint256.NewInt(2), MaxDATxSize: big.NewInt(3), GasLimitCap: 4}}
	}
	a, b := base(), base()
	require.True(t, a.equal(&b))
	for _, change := range []func(*walkKey){
		func(k *walkKey) { k.parent = common.Hash{2} },
		func(k *walkKey) { k.filter.MinTip = uint256.NewInt(2) },
		func(k *walkKey) { k.filter.BaseFee = nil },
		func(k *walkKey) { k.filter.BaseFee = uint256.NewInt(3) },
		func(k *walkKey) { k.filter.MaxDATxSize = nil },
		func(k *walkKey) { k.filter.MaxDATxSize = big.NewInt(4) },
		func(k *walkKey) { k.filter.GasLimitCap = 0 },
	} {
		b := base()
		change(&b)
		require.False(t, a.equal(&b))
		require.False(t, b.equal(&a))
	}
}

// BenchmarkNewAttributes compares how long the pool takes to accept a transaction, with twenty thousand pending,
// while attributes come every 20 ms and while they come once per block.
func BenchmarkNewAttributes(b *testing.B) {
	const accounts, nonces = 2100, 10
	var (
		h      *harness
		offset time.Duration
	)
	h = newHarness(b, harnessConfig{fork: isthmus, accounts: accounts, builder: func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(offset) }
	}})
	var txs []*types.Transaction
	for i := range accounts - 100 {
		for n := range uint64(nonces) {
			txs = append(txs, h.transfer(i, n, uint64(1+i)))
		}
	}
	h.send(txs...)
	var (
		salt uint64
		next uint64
	)
	phase := func(every time.Duration) (sends, updates []float64) {
		var (
			wg   sync.WaitGroup
			over = time.Now().Add(4 * time.Second)
		)
		wg.Go(func() {
			ticker := time.NewTicker(every)
			defer ticker.Stop()
			for time.Now().Before(over) {
				args := h.attributes(h.chain.CurrentBlock())
				salt++
				args.Random[0], args.Random[1], args.Random[2] = byte(salt), byte(salt>>8), byte(salt>>16)
				start := time.Now()
				if _, err := h.builder.BuildPayload(args, Options{}); err != nil {
					b.Error(err)
				}
				updates = append(updates, float64(time.Since(start)))
				<-ticker.C
			}
		})
		for ; time.Now().Before(over); next++ {
			tx := h.transfer(accounts-100+int(next%100), next/100, 1)
			start := time.Now()
			require.NoError(b, h.txpool.Add([]*types.Transaction{tx}, false)[0])
			sends = append(sends, float64(time.Since(start)))
			<-time.After(2 * time.Millisecond)
		}
		wg.Wait()
		h.builder.NewHead(common.Hash{1})
		h.stream.reset()
		return sends, updates
	}
	var rare, often, updates []float64
	for b.Loop() {
		offset = time.Until(time.Unix(int64(h.chain.CurrentBlock().Time), 0))
		sends, _ := phase(2 * time.Second)
		rare = append(rare, sends...)
		offset = time.Until(time.Unix(int64(h.chain.CurrentBlock().Time), 0))
		sends, calls := phase(20 * time.Millisecond)
		often, updates = append(often, sends...), append(updates, calls...)
	}
	p99 := func(list []float64) float64 {
		slices.Sort(list)
		return list[len(list)*99/100]
	}
	b.ReportMetric(p99(often)/p99(rare), "p99/once-per-block")
	b.ReportMetric(median(often)/median(rare), "p50/once-per-block")
	b.ReportMetric(p99(often)/1e6, "p99-ms")
	b.ReportMetric(p99(updates)/1e6, "update-p99-ms")
}
