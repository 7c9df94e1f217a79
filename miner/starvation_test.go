// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"
)

// What pays best is in the block, at the first index that can hold it, however many there are that pay less and fit
// right away.
func TestBestPayerIsNotStarved(t *testing.T) {
	t.Parallel()
	t.Run("gas", func(t *testing.T) {
		t.Parallel()
		const accounts = 501
		s := newTimed(t, harnessConfig{fork: isthmus, accounts: accounts, gasLimit: 10_000_000})
		best := s.tx(0, 0, 5_000_000_000, &s.addrs[0], 2_500_000, nil)
		for i := 1; i < accounts; i++ {
			s.harness.send(s.transfer(i, 0, 1_000_000))
		}
		s.harness.send(best)
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		for k := 1; k <= 10; k++ {
			have := hashes(t, slot.step())
			require.Equal(t, k == 3, slices.Contains(have, best.Hash().Hex()), "index %d", k)
			if k == 1 || k > 3 {
				require.Greater(t, len(have), 20, "those that pay less have what it leaves to them")
			}
		}
		block := slot.finish()
		require.Greater(t, block.GasUsed(), uint64(10_000_000-21_000))
	})
	t.Run("DA bytes", func(t *testing.T) {
		t.Parallel()
		const accounts = 501
		s := newTimed(t, harnessConfig{fork: fjord, accounts: accounts, builder: func(c *Config) { c.MaxDABlockSize = big.NewInt(40_000) }})
		best := s.tx(0, 0, 5_000_000_000, &s.addrs[0], 1_000_000, noisy(1, 20_000))
		for i := 1; i < accounts; i++ {
			s.harness.send(s.transfer(i, 0, 1_000_000))
		}
		s.harness.send(best)
		block := s.begin(s.attributes(s.chain.CurrentBlock())).finish()
		require.NotNil(t, block.Transaction(best.Hash()))
		require.Greater(t, len(block.Transactions()), 150)
	})
	t.Run("DA bytes, limit of a throttled batcher", func(t *testing.T) {
		t.Parallel()
		s := newTimed(t, harnessConfig{fork: fjord, accounts: 22, builder: func(c *Config) { c.MaxDABlockSize = big.NewInt(0x7d0) }})
		large := []*types.Transaction{s.tx(20, 0, 100, &s.addrs[0], 1_000_000, noisy(1, 1250)), s.tx(21, 0, 90, &s.addrs[0], 1_000_000, noisy(2, 1250))}
		for i := range 20 {
			s.harness.send(s.transfer(i, 0, 1000))
		}
		s.harness.send(large...)
		block := s.begin(s.attributes(s.chain.CurrentBlock())).finish()
		require.Nil(t, block.Transaction(large[0].Hash()), "twenty that pay more leave no room for it")
		require.Len(t, block.Transactions(), 1+20)
	})
	t.Run("footprint", func(t *testing.T) {
		t.Parallel()
		const accounts = 101
		s := newTimed(t, harnessConfig{fork: jovian, accounts: accounts, scalar: 3000})
		best := s.tx(0, 0, 5_000_000_000, &s.addrs[0], 1_000_000, noisy(1, 5000))
		for i := 1; i < accounts; i++ {
			s.harness.send(s.transfer(i, 0, 1_000_000))
		}
		s.harness.send(best)
		block := s.begin(s.attributes(s.chain.CurrentBlock())).finish()
		require.NotNil(t, block.Transaction(best.Hash()))
		require.Greater(t, *block.BlobGasUsed(), uint64(testGasLimit-300_000-1))
	})
}

// A better one that comes later takes the room that was kept, and a better one still takes it from that.
func TestKeptRoomIsDecidedAnew(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: isthmus, gasLimit: 10_000_000})
	burns := func(account int, tip, gas uint64) *types.Transaction {
		return s.tx(account, 0, tip, nil, gas, []byte{0xfe})
	}
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	first, second, third := burns(0, 10, 6_000_000), burns(1, 20, 6_000_000), burns(2, 30, 4_500_000)
	small := burns(3, 5, 900_000)
	slot.send(first)
	require.Empty(t, hashes(t, slot.step()))
	slot.send(second)
	require.Empty(t, hashes(t, slot.step()))
	slot.send(third, small)
	for k := 3; k <= 10; k++ {
		want := hashesOf()
		switch k {
		case 5:
			want = hashesOf(third)
		case 6:
			want = hashesOf(small) // before, it would have put off the third
		}
		require.Equal(t, want, hashes(t, slot.step()), "index %d", k)
	}
	block := slot.finish()
	require.Nil(t, block.Transaction(first.Hash()))
	require.Nil(t, block.Transaction(second.Hash()))
}

// emptyPool has the next block start anew.
func (s *timed) emptyPool() {
	s.t.Helper()
	s.txpool.Clear()
	require.NoError(s.t, s.txpool.Sync())
}
