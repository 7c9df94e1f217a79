// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"flag"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// Longer runs: FLASHGETH_SEED=7 go test ./miner -run Differential -differential.blocks 500
var differentialBlocks = flag.Int("differential.blocks", 8, "blocks per fork and state scheme")

// Random mixes over every fork and both state schemes: op-geth executes each block to the same hash, and
// the chain that took the sealed state instead ends up with the same receipts and the same state.
func TestDifferential(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	for f := bedrock; f <= jovian; f++ {
		for i, scheme := range []string{"path", "hash"} {
			t.Run(f.String()+"/"+scheme, func(t *testing.T) {
				t.Parallel()
				runDifferential(t, f, scheme, seed+int64(f)*2+int64(i))
			})
		}
	}
}

func runDifferential(t *testing.T, f fork, scheme string, seed int64) {
	t.Helper()
	s := newTimed(t, harnessConfig{fork: f, scheme: scheme, accounts: mixAccounts, builder: func(c *Config) {
		c.Interval = 400 * msec
	}})
	plain := s.newChain()
	m, deploy := newMix(s.harness, seed)
	s.harness.send(deploy...)
	for n := range *differentialBlocks {
		args := m.attributes()
		if m.rng.Intn(3) == 0 {
			args.FeeRecipient = s.addrs[m.rng.Intn(mixSenders)]
		}
		s.lag = time.Duration(m.rng.Intn(2000)) * msec
		s.txpool.Add(m.txs(m.rng.Intn(20)), true)
		slot := s.begin(args)
		for range m.rng.Intn(slot.job.schedule.len() + 1) {
			slot.offer(m.txs(m.rng.Intn(12))...)
			slot.step()
		}
		envelope := slot.end()
		block := s.insert(envelope, args)
		testchain.Insert(t, plain, block)
		requireSameOutcome(t, s.harness, plain, block, envelope)
		requireMetadata(t, s.harness, block, s.stream.flashblocks(t, slot.id))
		require.EqualValues(t, n+1, s.builder.metrics.reused.Get(), "imported from the sealed state")
	}
	require.Zero(t, s.builder.metrics.failures.Get())
	requireSameState(t, s.chain, plain)
}

// requireSameOutcome compares what both chains stored of a block, and the fees.
func requireSameOutcome(t testing.TB, h *harness, plain *core.BlockChain, block *types.Block, envelope *engine.ExecutionPayloadEnvelope) {
	t.Helper()
	want := plain.GetReceiptsByHash(block.Hash())
	have := h.chain.GetReceiptsByHash(block.Hash())
	require.Len(t, want, len(block.Transactions()))
	require.Equal(t, want, have)
	fees := new(big.Int)
	for i, tx := range block.Transactions() {
		tip, err := tx.EffectiveGasTip(block.BaseFee())
		require.NoError(t, err)
		fees.Add(fees, tip.Mul(tip, new(big.Int).SetUint64(want[i].GasUsed)))
	}
	require.Equal(t, fees.String(), envelope.BlockValue.String())
}

// requireMetadata compares the metadata of a block's flashblocks with the canonical receipts and state.
func requireMetadata(t testing.TB, h *harness, block *types.Block, fbs []*flashblocks.Flashblock) {
	t.Helper()
	var (
		receipts = h.chain.GetReceiptsByHash(block.Hash())
		balances = make(map[common.Address]string)
		bloom    types.Bloom
		n        = 0
	)
	for _, fb := range fbs {
		require.Equal(t, block.NumberU64(), fb.Metadata.BlockNumber)
		require.Len(t, fb.Metadata.Receipts, len(fb.Diff.Transactions))
		for _, r := range fb.Metadata.Receipts {
			want := receipts[n]
			n++
			require.Equal(t, want.TxHash, r.TxHash)
			require.Equal(t, want.Type, r.Receipt.Type)
			require.Equal(t, want.Status, r.Receipt.Status)
			require.Equal(t, want.CumulativeGasUsed, r.Receipt.CumulativeGasUsed)
			require.Equal(t, want.DepositNonce, r.Receipt.DepositNonce)
			require.Len(t, r.Receipt.Logs, len(want.Logs))
			for i, l := range want.Logs {
				require.Equal(t, l.Topics, r.Receipt.Logs[i].Topics)
				require.Equal(t, l.Data, r.Receipt.Logs[i].Data)
				require.Equal(t, l.Address, r.Receipt.Logs[i].Address)
			}
		}
		require.Equal(t, types.DeriveSha(receipts[:n], trie.NewStackTrie(nil)), fb.Diff.ReceiptsRoot)
		bloom = types.MergeBloom(receipts[:n])
		require.Equal(t, bloom, fb.Diff.LogsBloom)
		if n > 0 {
			require.Equal(t, receipts[n-1].CumulativeGasUsed, fb.Diff.GasUsed)
		}
		for _, b := range fb.Metadata.NewAccountBalances {
			balances[b.Address] = b.Balance.String()
		}
	}
	require.Len(t, receipts, n)
	db, err := h.chain.StateAt(block.Root())
	require.NoError(t, err)
	for addr, have := range balances {
		require.Equal(t, db.GetBalance(addr).String(), have, addr)
	}
	for _, addr := range h.addrs {
		parent, err := h.chain.StateAt(h.chain.GetHeaderByHash(block.ParentHash()).Root)
		require.NoError(t, err)
		if _, told := balances[addr]; !told {
			require.Equal(t, parent.GetBalance(addr), db.GetBalance(addr), "a balance that changed is told")
		}
	}
}

// requireSameState walks the whole state of both heads.
func requireSameState(t testing.TB, a, b *core.BlockChain) {
	t.Helper()
	dump := func(chain *core.BlockChain) state.Dump {
		db, err := chain.State()
		require.NoError(t, err)
		return db.RawDump(&state.DumpConfig{})
	}
	want := dump(b)
	require.NotEmpty(t, want.Accounts)
	require.Equal(t, want, dump(a))
}

// With the whole pool there from the start and one flashblock, our block is op-geth's own, fees and all.
func TestDifferentialMiner(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	for f := bedrock; f <= jovian; f++ {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: f, accounts: mixAccounts})
			s.lag = 1850 * msec // one deadline
			stock := s.stock(100 * msec)
			m, deploy := newMix(s.harness, seed+int64(f))
			// A nonce that a deposit has used still ranks its sender in op-geth's miner, not here.
			m.strangers = true
			s.harness.send(deploy...)
			for range 4 {
				args := m.attributes()
				s.txpool.Add(m.txs(40), true)
				payload, err := stock.BuildPayload(t.Context(), args, false)
				require.NoError(t, err)
				payload.WaitFull()
				want := payload.ResolveFull()
				slot := s.begin(args)
				require.Equal(t, 1, slot.job.schedule.len())
				slot.steps()
				have := slot.end()
				requireSameEnvelope(t, want, have)
				s.insert(have, args)
			}
		})
	}
}
