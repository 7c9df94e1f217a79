// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// What is wrong with attributes is said as op-geth says it, and does no harm to the payload under
// construction.
func TestAttributesErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		fork   fork
		pool   bool // op-geth tells it with the pool only
		spoil  func(*gethminer.BuildPayloadArgs)
		errors bool
	}{
		{"missing parent", jovian, true, func(a *gethminer.BuildPayloadArgs) { a.Parent = common.Hash{1} }, true},
		{"timestamp of the parent", jovian, true, func(a *gethminer.BuildPayloadArgs) { a.Timestamp -= 2 }, true},
		{"timestamp before the parent", bedrock, true, func(a *gethminer.BuildPayloadArgs) { a.Timestamp -= 100 }, true},
		{"no 1559 params", holocene, false, func(a *gethminer.BuildPayloadArgs) { a.EIP1559Params = nil }, true},
		{"short 1559 params", isthmus, false, func(a *gethminer.BuildPayloadArgs) { a.EIP1559Params = make([]byte, 7) }, true},
		{"zero denominator", holocene, false, func(a *gethminer.BuildPayloadArgs) { a.EIP1559Params = []byte{0, 0, 0, 0, 0, 0, 0, 6} }, true},
		{"zero elasticity", jovian, false, func(a *gethminer.BuildPayloadArgs) { a.EIP1559Params = []byte{0, 0, 0, 9, 0, 0, 0, 0} }, false},
		{"1559 params before Holocene", granite, false, func(a *gethminer.BuildPayloadArgs) { a.EIP1559Params = make([]byte, 8) }, true},
		{"no min base fee", jovian, false, func(a *gethminer.BuildPayloadArgs) { a.MinBaseFee = nil }, true},
		{"min base fee before Jovian", isthmus, false, func(a *gethminer.BuildPayloadArgs) { a.MinBaseFee = new(uint64) }, false},
		{"nothing", jovian, false, func(*gethminer.BuildPayloadArgs) {}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: test.fork})
			slot := s.begin(s.attributes(s.chain.CurrentBlock()))
			args := s.attributes(s.chain.CurrentBlock())
			args.Random = common.Hash{0x99}
			test.spoil(args)

			reference := *args
			reference.NoTxPool = !test.pool
			_, want := s.stock(time.Hour).BuildPayload(t.Context(), &reference, false)
			_, have := s.builder.BuildPayload(args, Options{})
			if want == nil {
				require.NoError(t, have)
				return
			}
			require.EqualError(t, have, want.Error())
			slot.send(s.transfer(0, 0, 5))
			require.Len(t, hashes(t, slot.step()), 1, "the payload under construction goes on")
			slot.finish()
		})
	}
}

// Withdrawals from Isthmus on are refused, as op-geth refuses to seal them.
func TestIsthmusWithdrawals(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: isthmus})
	args := s.attributes(s.chain.CurrentBlock())
	args.Withdrawals = types.Withdrawals{{Address: common.Address{1}, Amount: 1}}
	_, err := s.builder.BuildPayload(args, Options{})
	require.ErrorIs(t, err, errWithdrawals)
	reference := *args
	reference.NoTxPool = true
	_, err = s.stock(time.Hour).BuildPayload(t.Context(), &reference, false)
	require.Error(t, err)
}

// From Canyon on no list at all is an empty one, as it is for op-geth's miner.
func TestNoWithdrawals(t *testing.T) {
	t.Parallel()
	for f := bedrock; f <= jovian; f++ {
		s := newTimed(t, harnessConfig{fork: f})
		args := s.attributes(s.chain.CurrentBlock())
		args.Withdrawals = nil
		slot := s.begin(args)
		block := slot.finish()
		require.Equal(t, f >= canyon, block.Withdrawals() != nil)
		reference := *args
		reference.NoTxPool = true
		payload, err := s.stock(time.Hour).BuildPayload(t.Context(), &reference, false)
		require.NoError(t, err)
		require.Equal(t, payload.ResolveFull().ExecutionPayload.BlockHash, block.Hash())
	}
}

// Before Isthmus, withdrawals are credited once, and are once on the wire.
func TestWithdrawals(t *testing.T) {
	t.Parallel()
	for _, f := range []fork{canyon, ecotone, holocene} {
		s := newTimed(t, harnessConfig{fork: f})
		args := s.attributes(s.chain.CurrentBlock())
		args.Withdrawals = types.Withdrawals{{Index: 1, Validator: 2, Address: common.Address{0x77}, Amount: 3}}
		slot := s.begin(args)
		slot.send(s.transfer(0, 0, 5))
		block := slot.finish()
		testchain.Insert(t, s.newChain(), block)
		db, err := s.chain.State()
		require.NoError(t, err)
		require.Equal(t, uint64(3*gethparams.GWei), db.GetBalance(common.Address{0x77}).Uint64())
		var told types.Withdrawals
		for _, fb := range s.stream.flashblocks(t, slot.id) {
			told = append(told, fb.Diff.Withdrawals...)
		}
		require.Equal(t, args.Withdrawals, told)
	}
}

// A transaction that must be included but cannot be: the attributes are refused at once with op-geth's error,
// however the payload would be built, and the payload under construction goes on.
func TestGarbageInAttributes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		forced func(s *timed) *types.Transaction
		same   bool // op-geth's words
	}{
		{"nonce too high", func(s *timed) *types.Transaction { return s.transfer(0, 7, 5) }, true},
		{"foreign chain", func(s *timed) *types.Transaction {
			return types.MustSignNewTx(s.keys[0], types.LatestSignerForChainID(big.NewInt(5)), &types.DynamicFeeTx{ChainID: big.NewInt(5), Gas: 21_000, To: &s.addrs[1]})
		}, true},
		{"below the base fee", func(s *timed) *types.Transaction {
			return types.MustSignNewTx(s.keys[0], s.signer, &types.DynamicFeeTx{ChainID: s.chain.Config().ChainID, Gas: 21_000, To: &s.addrs[1]})
		}, true},
		{"more gas than the block", func(s *timed) *types.Transaction { return s.heavy(0, 0, 5, testGasLimit) }, true},
		{"unsigned", func(s *timed) *types.Transaction {
			return types.NewTx(&types.LegacyTx{Gas: 21_000, GasPrice: big.NewInt(gethparams.GWei), To: &s.addrs[1]})
		}, true},
		{"blob", func(s *timed) *types.Transaction {
			return types.MustSignNewTx(s.keys[0], types.NewCancunSigner(s.chain.Config().ChainID), &types.BlobTx{
				ChainID: uint256.MustFromBig(s.chain.Config().ChainID), Gas: 21_000, GasFeeCap: uint256.NewInt(1e10), BlobFeeCap: uint256.NewInt(1e10), BlobHashes: []common.Hash{{1}},
			})
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: jovian})
			live := s.begin(s.attributes(s.chain.CurrentBlock()))
			live.send(s.transfer(1, 0, 5))
			args := s.attributes(s.chain.CurrentBlock())
			args.Transactions = append(args.Transactions, test.forced(s))
			want := errBlobTransaction
			if test.same {
				reference := *args
				reference.NoTxPool = true
				_, want = s.stock(time.Hour).BuildPayload(t.Context(), &reference, false)
			}
			s.requireRefused(args, want)
			require.Equal(t, hashesOf(s.transfer(1, 0, 5)), hashes(t, live.step()))
			live.finish()
			require.Zero(t, s.builder.metrics.failures.Get())
		})
	}
}

// requireRefused asserts that attributes are refused in every form, for their own fault and as want says.
func (s *timed) requireRefused(args *gethminer.BuildPayloadArgs, want error) {
	s.t.Helper()
	for _, noTxPool := range []bool{false, true} {
		for _, opts := range []Options{{}, {Whole: true}, {Witness: true}} {
			args := *args
			args.NoTxPool = noTxPool
			id, err := s.builder.BuildPayload(&args, opts)
			if want == errBlobTransaction { //nolint:errorlint // the sentinel stands for what op-geth panics over
				require.ErrorIs(s.t, err, want)
			} else {
				require.EqualError(s.t, err, want.Error())
			}
			require.NotErrorIs(s.t, err, ErrNotBuilt)
			require.False(s.t, s.builder.Has(id))
			_, err = s.builder.GetPayload(id)
			require.ErrorIs(s.t, err, ErrUnknownPayload)
			require.Empty(s.t, s.stream.flashblocks(s.t, id))
		}
	}
}

// The first transaction must hold the L1 attributes from Jovian on.
func TestMissingL1Attributes(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	short := types.NewTx(&types.DepositTx{To: &types.L1BlockAddr, Gas: 1_000_000, Value: new(big.Int), Data: types.JovianL1AttributesSelector})
	for _, txs := range [][]*types.Transaction{nil, {s.transfer(0, 0, 5)}, {short}} {
		args := s.attributes(s.chain.CurrentBlock())
		args.Transactions = txs
		reference := *args
		reference.NoTxPool = true
		_, want := s.stock(time.Hour).BuildPayload(t.Context(), &reference, false)
		require.Error(t, want)
		s.requireRefused(args, want)
	}
	s.begin(s.attributes(s.chain.CurrentBlock())).finish()
}

// A forced transaction that is no deposit counts towards every limit, and is not refused for one.
func TestForcedUserTransaction(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	s.builder.SetGasLimit(30_000)
	args := s.attributes(s.chain.CurrentBlock(), s.transfer(0, 0, 5), s.transfer(0, 1, 5))
	s.harness.send(s.transfer(1, 0, 5))
	block := s.begin(args).finish()
	require.Len(t, block.Transactions(), 3)
	footprint, err := types.CalcDAFootprint(block.Transactions())
	require.NoError(t, err)
	require.Equal(t, footprint, *block.BlobGasUsed())
	testchain.Insert(t, s.newChain(), block)
}

// activate makes f active from the given block on.
func (h *harness) activate(f fork, number uint64) {
	at := h.genesis.Timestamp + number*h.blockSec
	f.SetTime(h.chain.Config(), &at)
	f.SetTime(h.genesis.Config, &at)
}

// The blocks around the activation of every fork. The first one of Jovian holds no pool transactions.
func TestActivations(t *testing.T) {
	t.Parallel()
	for f := regolith; f <= jovian; f++ {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: f - 1, builder: func(c *Config) { c.PublishRoots = true }})
			s.activate(f, 2)
			plain := s.newChain()
			for n := uint64(1); n <= 4; n++ {
				if n == 2 {
					s.Config.Fork = f
				}
				s.harness.send(s.transfer(0, s.txpool.PoolNonce(s.addrs[0]), 5))
				args := s.attributes(s.chain.CurrentBlock())
				if f == jovian && n == 2 {
					args.Transactions[0] = s.L1InfoOf(isthmus, s.chain.CurrentBlock())
				}
				slot := s.begin(args)
				block := slot.finish()
				testchain.Insert(t, plain, block)
				switch {
				case f == jovian && n == 2:
					require.Len(t, block.Transactions(), 1)
					require.Zero(t, *block.BlobGasUsed())
				case f == jovian && n == 3:
					require.Len(t, block.Transactions(), 3, "what waited")
				default:
					require.Len(t, block.Transactions(), 2)
				}
				fbs := s.stream.flashblocks(t, slot.id)
				require.Equal(t, block.Hash(), fbs[len(fbs)-1].Diff.BlockHash)
			}
			require.EqualValues(t, 4, s.builder.metrics.reused.Get())
			requireSameState(t, s.chain, plain)
		})
	}
}
