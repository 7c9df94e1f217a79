// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math"
	"math/big"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

func TestShare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		total uint64
		i, n  int
		want  uint64
	}{
		{100, 1, 10, 10},
		{103, 1, 10, 10},
		{103, 9, 10, 92},
		{103, 10, 10, 103},
		{7, 1, 10, 0},
		{7, 9, 10, 6},
		{0, 1, 3, 0},
		{0, 3, 3, 0},
		{unlimited, 1, 100, unlimited},
		{unlimited - 1, 99, 100, 18262276632972456097},
		{unlimited - 1, 100, 100, unlimited - 1},
		{5, 7, 3, 5},
	} {
		require.Equal(t, test.want, share(test.total, test.i, test.n), "%+v", test)
	}
}

// The shares are exact to the unit, never shrink and end at the total: no unit of gas is lost to the
// division, unlike op-rbuilder's, which drops up to n-1.
func TestShareProperties(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	rng := rand.New(rand.NewSource(seed))
	for range 300 {
		total := rng.Uint64() >> rng.Intn(64)
		n := 1 + rng.Intn(300)
		prev := uint64(0)
		for i := 1; i <= n; i++ {
			got := share(total, i, n)
			want := new(big.Int).Mul(new(big.Int).SetUint64(total), big.NewInt(int64(i)))
			if total != unlimited {
				require.Equal(t, want.Div(want, big.NewInt(int64(n))).Uint64(), got, "seed %d total %d %d/%d", seed, total, i, n)
			}
			require.GreaterOrEqual(t, got, prev, "seed %d total %d %d/%d", seed, total, i, n)
			prev = got
		}
		require.Equal(t, total, prev, "seed %d n %d", seed, n)
	}
}

func TestBelow(t *testing.T) {
	t.Parallel()
	require.True(t, below(3, 4, 7))
	require.False(t, below(3, 5, 7))
	require.False(t, below(math.MaxUint64, 1, math.MaxUint64), "no overflow")
	require.True(t, below(math.MaxUint64, 0, math.MaxUint64))
	b := budget{gas: 10, da: 20, footprint: 30, size: 40}
	require.True(t, b.fits(budget{4, 5, 6, 7}, budget{6, 15, 24, 33}))
	for _, need := range []budget{{7, 0, 0, 0}, {0, 16, 0, 0}, {0, 0, 25, 0}, {0, 0, 0, 34}} {
		require.False(t, b.fits(budget{4, 5, 6, 7}, need), "%+v", need)
	}
}

// heavy is a transfer with a gas limit that it does not need.
func (h *harness) heavy(account int, nonce, tip, gas uint64) *types.Transaction {
	to := h.addrs[account]
	return h.tx(account, nonce, tip, &to, gas, nil)
}

// A transaction larger than one slice lands in the first index whose cumulative ceiling holds it, and
// smaller ones that pay less do not wait for it.
func TestBigTransactionWaits(t *testing.T) {
	t.Parallel()
	for _, share := range []int{1, 3, 9, 10} {
		s := newTimed(t, harnessConfig{fork: jovian})
		small := []*types.Transaction{s.transfer(0, 0, 1), s.transfer(0, 1, 1), s.transfer(0, 2, 1)}
		s.harness.send(small...)
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		n := slot.job.schedule.len()
		require.Equal(t, 10, n)
		deposits := slot.job.env.used.gas
		big := s.heavy(1, 0, 1000, uint64(share)*testGasLimit/10-deposits-3*21_000)
		slot.send(big)
		for k := 1; k <= n; k++ {
			have := hashes(t, slot.step())
			switch {
			case k == 1 && share == 1:
				require.Equal(t, hashesOf(append([]*types.Transaction{big}, small...)...), have, "all fit, the best first")
			case k == 1:
				require.Equal(t, hashesOf(small...), have)
			case k == share:
				require.Equal(t, hashesOf(big), have, "index %d of share %d", k, share)
			default:
				require.Empty(t, have, "index %d of share %d", k, share)
			}
		}
		slot.finish()
		if share > 1 {
			require.EqualValues(t, 1, s.builder.metrics.skips[skipCeiling].Get(), "parked once, not looked at at every index")
		}
	}
}

// The last index hands out what division leaves over: a transaction of exactly the rest fits, one gas
// unit more does not.
func TestRemainderIsNotLost(t *testing.T) {
	t.Parallel()
	for extra, included := range map[uint64]bool{0: true, 1: false} {
		s := newTimed(t, harnessConfig{fork: isthmus, gasLimit: 1_000_007})
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		// The pool takes no transaction above the block's limit less an allowance for the deposit.
		slot.send(s.transfer(0, 0, 5), s.transfer(0, 1, 5), s.transfer(0, 2, 5))
		slot.step()
		slot.send(s.heavy(1, 0, 5, 1_000_007-slot.job.env.used.gas+extra))
		for k := 2; k < slot.job.schedule.len(); k++ {
			require.Empty(t, hashes(t, slot.step()))
		}
		require.Equal(t, included, len(hashes(t, slot.step())) == 1, "extra %d", extra)
		slot.finish()
	}
}

// Once less than a transfer's gas is left, nothing more of the pool is looked at.
func TestStopsScanningWhenFull(t *testing.T) {
	t.Parallel()
	const accounts, limit = 200, 1_000_000
	tried := 0
	s := newTimed(t, harnessConfig{fork: isthmus, accounts: accounts, gasLimit: limit})
	s.builder.hooks.beforeTx = func(*types.Transaction) { tried++ }
	for i := range accounts {
		s.harness.send(s.transfer(i, 0, uint64(1+i)))
	}
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	deposits := slot.job.env.used.gas
	for k := 1; k <= slot.job.schedule.len(); k++ {
		fb := slot.step()
		ceiling := uint64(limit) * uint64(k) / 10
		require.LessOrEqual(t, fb.Diff.GasUsed, ceiling)
		require.Greater(t, fb.Diff.GasUsed+gethparams.TxGas, ceiling, "filled to the ceiling")
	}
	block := slot.finish()
	require.Len(t, block.Transactions(), 1+int((limit-deposits)/gethparams.TxGas))
	require.Equal(t, len(block.Transactions())-1, tried)
	for why, skips := range s.builder.metrics.skips {
		require.Zero(t, skips.Get(), skipNames[why])
	}
}

// noisy is call data that does not compress: its DA size is about its length.
func noisy(seed int64, n int) []byte {
	data := make([]byte, n)
	rand.New(rand.NewSource(seed)).Read(data)
	return data
}

// runLimited builds one block of one transaction of each account and returns it.
func runLimited(t *testing.T, s *timed, data int) *types.Block {
	t.Helper()
	for i := range s.keys {
		nonce := s.txpool.PoolNonce(s.addrs[i])
		if pending, _ := s.txpool.ContentFrom(s.addrs[i]); len(pending) == 0 {
			s.harness.send(s.tx(i, nonce, uint64(100-i), &storageAddr, 200_000, noisy(int64(i), data)))
		}
	}
	return s.begin(s.attributes(s.chain.CurrentBlock())).finish()
}

func TestDALimits(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: fjord})
	size := s.tx(0, 0, 100, &storageAddr, 200_000, noisy(0, 1000)).RollupCostData().EstimatedDASize().Uint64()
	require.Greater(t, size, uint64(900))

	s.builder.SetMaxDASize(nil, new(big.Int).SetUint64(3*size+size/2))
	require.Len(t, runLimited(t, s, 1000).Transactions(), 1+3, "the block takes three")
	s.builder.SetMaxDASize(new(big.Int).SetUint64(size/2), nil)
	require.Len(t, runLimited(t, s, 1000).Transactions(), 1, "every transaction is too large")
	s.builder.SetMaxDASize(new(big.Int).SetUint64(size*2), new(big.Int).SetUint64(size/2))
	require.Len(t, runLimited(t, s, 1000).Transactions(), 1, "the block takes none")
	s.builder.SetMaxDASize(new(big.Int), new(big.Int))
	require.Len(t, runLimited(t, s, 1000).Transactions(), 1+8, "zero is no limit")
}

// The DA limit of a block is shared out over its indices like its gas.
func TestDACeilings(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: fjord, builder: func(c *Config) { c.MaxDABlockSize = big.NewInt(2000) }})
	for i := range s.keys {
		s.harness.send(s.transfer(i, 0, 5), s.transfer(i, 1, 5), s.transfer(i, 2, 5))
	}
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	for range slot.job.schedule.len() {
		require.Len(t, hashes(t, slot.step()), 2, "200 bytes hold two transactions of the least size")
	}
	slot.finish()
}

// TestFootprintFillsToLimit is op-rbuilder's da_footprint_fills_to_limit: the header's blob gas used is
// the DA footprint, and reaches the gas limit.
func TestFootprintFillsToLimit(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian, accounts: 20, scalar: 10_000})
	for i := range s.keys {
		s.harness.send(s.transfer(i, 0, 5), s.transfer(i, 1, 5))
	}
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	for k := 1; k <= 10; k++ {
		fb := slot.step()
		require.EqualValues(t, k*testGasLimit/10, *fb.Diff.BlobGasUsed)
		require.Len(t, hashes(t, fb), 3)
	}
	block := slot.finish()
	require.EqualValues(t, testGasLimit, *block.BlobGasUsed())
	require.LessOrEqual(t, *block.BlobGasUsed(), block.GasLimit())
	footprint, err := types.CalcDAFootprint(block.Transactions())
	require.NoError(t, err)
	require.Equal(t, footprint, *block.BlobGasUsed())
	require.Len(t, block.Transactions(), 1+30)
	testchain.Insert(t, s.newChain(), block)
}

// The cap on the uncompressed size holds for the whole block: what does not fit is left for the next.
func TestUncompressedSize(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian, builder: func(c *Config) { c.MaxBlockSize = 10_000 }})
	sizes := []int{}
	for range 4 {
		block := runLimited(t, s, 3000)
		require.LessOrEqual(t, block.Size(), uint64(10_000))
		sizes = append(sizes, len(block.Transactions())-1)
	}
	require.Equal(t, []int{2, 2, 2, 2}, sizes, "4 KB with the deposit and the header, and two more of 3 KB")
}

func TestGasLimitOverrides(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian, accounts: 40, builder: func(c *Config) { c.EffectiveGasCeil = 400_000 }})
	count := func() int {
		t.Helper()
		for i := range s.keys {
			nonce := s.txpool.PoolNonce(s.addrs[i])
			if pending, _ := s.txpool.ContentFrom(s.addrs[i]); len(pending) == 0 {
				s.harness.send(s.transfer(i, nonce, 5))
			}
		}
		block := s.begin(s.attributes(s.chain.CurrentBlock())).finish()
		require.EqualValues(t, testGasLimit, block.GasLimit(), "the header keeps the attributes' limit")
		return len(block.Transactions()) - 1
	}
	require.Equal(t, 17, count(), "flag alone")
	s.builder.SetGasLimit(200_000)
	require.Equal(t, 8, count(), "the lower one rules")
	s.builder.SetGasLimit(10_000)
	require.Zero(t, count(), "less than the deposits use: they are included all the same")
	s.builder.SetGasLimit(600_000)
	require.Equal(t, 17, count(), "a higher one does not lift the flag")
	s.builder.SetGasLimit(0)
	require.Equal(t, 17, count(), "zero resets")
}

// Limits on DA bytes that are set while a block is built count from its next flashblock on, and take back nothing
// that is published.
func TestDALimitsInMidSlot(t *testing.T) {
	t.Parallel()
	const accounts = 60
	s := newTimed(t, harnessConfig{fork: fjord, accounts: accounts})
	large := s.tx(0, 0, 1000, &storageAddr, 200_000, noisy(1, 3000))
	for i := 1; i < accounts; i++ {
		s.harness.send(s.tx(i, 0, uint64(1000-i), &storageAddr, 300_000, noisy(int64(i), 1000)))
	}
	size := s.tx(1, 0, 999, &storageAddr, 300_000, noisy(1, 1000)).RollupCostData().EstimatedDASize().Uint64()
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	count := len(hashes(t, slot.step()))
	require.Greater(t, count, 5)
	used := func() uint64 {
		published, _, _ := slot.job.gate.outcome()
		return published.used.da
	}

	s.builder.SetMaxDASize(nil, new(big.Int).SetUint64(used()-1))
	require.Empty(t, hashes(t, slot.step()), "below what is used")
	total := used() + 10*size
	s.builder.SetMaxDASize(nil, new(big.Int).SetUint64(total))
	for k := 3; k <= 5; k++ {
		slot.step()
		require.LessOrEqual(t, used(), max(total*uint64(k)/10, total-10*size))
	}
	s.builder.SetMaxDASize(new(big.Int).SetUint64(size/2), nil)
	slot.send(large)
	require.Empty(t, hashes(t, slot.step()), "each is too large")
	s.builder.SetMaxDASize(nil, nil)
	require.Equal(t, large.Hash().Hex(), hashes(t, slot.step())[0], "none is any more")
	block := slot.finish()
	require.Len(t, block.Transactions(), 1+accounts)
	testchain.Insert(t, s.newChain(), block)
}
