// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/txpool/legacypool"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// smallPool holds fifty transactions.
const smallPool = 50

func smallPoolConfig(c *legacypool.Config) {
	c.GlobalSlots, c.GlobalQueue = smallPool-10, 10
	c.AccountSlots, c.AccountQueue = 1, smallPool
}

// op-rbuilder's pending_pool_limit: the pool is full, ten transactions that pay more come, the pool stays at
// its limit, and all ten are in the next block, in front of everything else.
func TestFullPool(t *testing.T) {
	t.Parallel()
	const better = 10
	for _, midSlot := range []bool{false, true} {
		name := "before the slot"
		if midSlot {
			name = "in mid-slot"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The block has room for about forty-six transfers, each index for four.
			s := newTimed(t, harnessConfig{fork: isthmus, accounts: smallPool + better, gasLimit: 1_000_000, pool: smallPoolConfig})
			var cheap, dear []*types.Transaction
			for i := range smallPool {
				cheap = append(cheap, s.transfer(i, 0, uint64(1+i)))
			}
			for i := range better {
				dear = append(dear, s.transfer(smallPool+i, 0, uint64(2000-i)))
			}
			s.harness.send(cheap...)
			s.requireFull()
			if !midSlot {
				s.harness.send(dear...)
			}
			slot := s.begin(s.attributes(s.chain.CurrentBlock()))
			if midSlot {
				require.Equal(t, hashesOf(cheap[49], cheap[48], cheap[47]), hashes(t, slot.step()))
				slot.send(dear...)
			}
			s.requireFull()
			for _, tx := range cheap[:better] {
				require.Equal(t, txpool.TxStatusUnknown, s.txpool.Status(tx.Hash()), "the cheapest were driven out")
			}
			var have []string
			for slot.done < slot.job.schedule.len() {
				have = append(have, hashes(t, slot.step())...)
			}
			require.Equal(t, hashesOf(dear...), have[:better])
			plain := s.newChain()
			testchain.Insert(t, plain, slot.finish())
		})
	}
}

func (s *timed) requireFull() {
	s.t.Helper()
	require.NoError(s.t, s.txpool.Sync())
	pending, queued := s.txpool.Stats()
	require.Equal(s.t, smallPool, pending+queued)
}

// Whatever a small pool drives out while a block with room for everything is built, nothing that it holds at
// the end is missing in the block.
func TestOverflowingPoolLosesNothing(t *testing.T) {
	t.Parallel()
	const accounts = 30
	rng := rand.New(rand.NewSource(int64(testseed.New(t))))
	s := newTimed(t, harnessConfig{fork: jovian, accounts: accounts, pool: smallPoolConfig})
	plain := s.newChain()
	driven := 0
	for range 8 {
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		next := make(map[common.Address]uint64) // nonces that the block leaves
		var sent []*types.Transaction
		for slot.done < slot.job.schedule.len() {
			for range 25 {
				i := rng.Intn(accounts)
				tx := s.transfer(i, s.txpool.PoolNonce(s.addrs[i])+uint64(rng.Intn(8)/7), uint64(1+rng.Intn(1000)))
				if err := slot.offer(tx)[0]; err == nil {
					sent = append(sent, tx)
				}
			}
			for _, raw := range slot.step().Diff.Transactions {
				tx := new(types.Transaction)
				require.NoError(t, tx.UnmarshalBinary(raw))
				if from, err := types.Sender(s.signer, tx); err == nil {
					next[from] = tx.Nonce() + 1
				}
			}
		}
		require.NoError(t, s.txpool.Sync())
		pending, _ := s.txpool.Content()
		for from, txs := range pending {
			for _, tx := range txs {
				require.Less(t, tx.Nonce(), next[from], "it, or one that was driven out after it was included")
			}
		}
		for _, tx := range sent {
			if s.txpool.Status(tx.Hash()) == txpool.TxStatusUnknown {
				driven++
			}
		}
		testchain.Insert(t, plain, slot.finish())
	}
	require.Greater(t, driven, smallPool, "the pool overflowed")
}

// After as many announcements as the inbox holds the pool is walked again, and what it has driven out since
// is forgotten.
func TestDrivenOutIsForgotten(t *testing.T) {
	t.Parallel()
	for _, walk := range []bool{false, true} {
		s := newTimed(t, harnessConfig{fork: jovian, accounts: smallPool + 1, pool: smallPoolConfig})
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		var txs []*types.Transaction
		for i := range smallPool {
			txs = append(txs, s.transfer(i, 0, uint64(1+i)))
		}
		slot.send(txs...)
		last := s.transfer(smallPool, 0, 500)
		slot.send(last)
		require.False(t, s.txpool.Has(txs[0].Hash()))
		want := append(slices.Clone(txs[1:]), last)
		if walk {
			slot.job.announced = inboxLimit
		} else {
			want = append(slices.Clone(txs), last)
		}
		slices.Reverse(want)
		require.Equal(t, hashesOf(want...), hashes(t, slot.step()))
		slot.finish()
	}
}
