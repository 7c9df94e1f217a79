// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// With real roots on the wire, every prefix of a block's flashblocks assembles to the block that getPayload
// would return there: op-geth imports each of them, with the hash that the flashblock names.
func TestPublishedRoots(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	for f := bedrock; f <= jovian; f++ {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: f, accounts: mixAccounts, builder: func(c *Config) {
				c.PublishRoots = true
				c.Interval = 500 * msec
			}})
			plain := s.newChain()
			m, deploy := newMix(s.harness, seed+int64(f))
			s.harness.send(deploy...)
			for range 4 {
				s.lag = time.Duration(m.rng.Intn(1900)) * msec
				args := m.attributes()
				s.txpool.Add(m.txs(10), true)
				slot := s.begin(args)
				for range m.rng.Intn(slot.job.schedule.len() + 1) {
					slot.offer(m.txs(m.rng.Intn(8))...)
					slot.step()
				}
				envelope := slot.end()
				fbs := s.stream.flashblocks(t, slot.id)
				for k := range fbs {
					payload, err := flashblocks.Assemble(fbs[:k+1], flashblocks.ForksAt(s.chain.Config(), args.Timestamp))
					require.NoError(t, err)
					block, err := payload.Block()
					require.NoError(t, err)
					require.Equal(t, fbs[k].Diff.BlockHash, block.Hash(), "index %d", k)
					require.Equal(t, fbs[k].Diff.StateRoot, block.Root())
					_, err = plain.InsertBlockWithoutSetHead(t.Context(), block, false)
					require.NoError(t, err, "index %d", k)
				}
				require.Equal(t, fbs[len(fbs)-1].Diff.BlockHash, envelope.ExecutionPayload.BlockHash)
				testchain.Insert(t, plain, s.insert(envelope, args))
			}
			requireSameState(t, s.chain, plain)
		})
	}
}

// With deferred roots, which is the default, root and hash are zero on the wire, and the sealed block has
// the real ones: the wire and the root give the block.
func TestDeferredRoots(t *testing.T) {
	t.Parallel()
	for _, f := range []fork{canyon, isthmus, jovian} {
		s := newTimed(t, harnessConfig{fork: f})
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		slot.send(s.transfer(0, 0, 5), s.tx(1, 0, 4, &storageAddr, 100_000, slots(1, 2)))
		slot.steps()
		envelope := slot.end()
		fbs := s.stream.flashblocks(t, slot.id)
		for _, fb := range fbs {
			require.Zero(t, fb.Diff.StateRoot)
			require.Zero(t, fb.Diff.BlockHash)
			require.Zero(t, fb.Diff.WithdrawalsRoot)
		}
		require.NotZero(t, envelope.ExecutionPayload.StateRoot)
		payload, err := flashblocks.Assemble(fbs, flashblocks.ForksAt(s.chain.Config(), slot.args.Timestamp))
		require.NoError(t, err)
		if f >= isthmus {
			payload.Data.WithdrawalsRoot = envelope.ExecutionPayload.WithdrawalsRoot
		}
		block, err := payload.Seal(envelope.ExecutionPayload.StateRoot)
		require.NoError(t, err)
		require.Equal(t, envelope.ExecutionPayload.BlockHash, block.Hash())
		s.insert(envelope, slot.args)
	}
}

// The trimmed metadata links every flashblock to the one before it, across blocks too.
func TestTrimmedMetadata(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian, builder: func(c *Config) { c.Metadata = params.MetadataTrimmed }})
	var prev *flashblocks.FlashblockID
	for n := range 4 {
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		slot.send(s.transfer(0, uint64(n), 5))
		for range 10 - 3*n { // a payload that is fetched early ends the chain where it was
			slot.step()
		}
		s.insert(slot.end(), slot.args)
		for _, fb := range s.stream.flashblocks(t, slot.id) {
			require.Equal(t, prev, fb.Metadata.PrevFlashblockID, "block %d index %d", n+1, fb.Index)
			require.Equal(t, flashblocks.DialectTrimmed, fb.Metadata.Dialect)
			require.Empty(t, fb.Metadata.Receipts)
			require.Empty(t, fb.Metadata.NewAccountBalances)
			require.EqualValues(t, n+1, fb.Metadata.BlockNumber)
			id := fb.Position()
			prev = &id
		}
	}
}

// The full metadata tells the balances of this flashblock only, after it.
func TestFullMetadata(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	to := common.Address{0x55}
	send := func(account int) *flashblocks.Flashblock {
		slot.send(s.TxWithValue(account, 0, 5, &to, 7, 21_000, nil))
		return slot.step()
	}
	balances := func(fb *flashblocks.Flashblock) map[common.Address]string {
		list := make(map[common.Address]string)
		for _, b := range fb.Metadata.NewAccountBalances {
			_, twice := list[b.Address]
			require.False(t, twice)
			list[b.Address] = b.Balance.String()
		}
		return list
	}
	first, second, third := balances(send(0)), balances(send(1)), balances(slot.step())
	require.Equal(t, "7", first[to])
	require.Equal(t, "14", second[to])
	require.Contains(t, first, s.addrs[0])
	require.NotContains(t, first, s.addrs[1])
	require.Contains(t, second, s.addrs[1])
	require.NotContains(t, second, s.addrs[0], "of this flashblock only")
	require.Contains(t, second, feeVault)
	require.Empty(t, third)
	slot.finish()
}
