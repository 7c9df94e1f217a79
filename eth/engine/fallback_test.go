// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// fallbackArgs are the arguments of a job on genesis that has published the given transactions.
func fallbackArgs(t *testing.T, n *ethtest.Node, published ...*types.Transaction) *gethminer.BuildPayloadArgs {
	t.Helper()
	c := n.Eth.BlockChain().Config()
	at := uint64(ethtest.GenesisTime + ethtest.BlockTime)
	var deposit types.Transaction
	require.NoError(t, deposit.UnmarshalBinary(n.Fork.L1Info(0)))
	args := &gethminer.BuildPayloadArgs{
		Parent:       n.GenesisHash(),
		Timestamp:    at,
		Random:       common.Hash{7},
		GasLimit:     ptr(uint64(30_000_000)),
		Transactions: append([]*types.Transaction{&deposit}, published...),
		Version:      3,
	}
	if c.IsCanyon(at) {
		args.Withdrawals = types.Withdrawals{}
	}
	if c.IsEcotone(at) {
		args.BeaconRoot = &common.Hash{9}
	}
	if c.IsHolocene(at) {
		args.EIP1559Params = common.FromHex("0x000000fa00000006")
	}
	if c.IsJovian(at) {
		args.MinBaseFee = ptr(uint64(0))
	}
	return args
}

// The fallback's block has exactly the transactions that were published, whatever else the pool offers,
// and a plain op-geth imports it.
func TestFallbackBuildsWhatWasPublished(t *testing.T) {
	t.Parallel()
	for _, f := range ethtest.Forks {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			n, plain := newNode(t, f, withMiner), newNode(t, f, stock)
			pending := []*types.Transaction{n.Transfer(0), n.Transfer(1), n.Transfer(2), n.Transfer(3)}
			for _, err := range n.Eth.TxPool().Add(pending, true) {
				require.NoError(t, err)
			}
			fallback := NewFallback(n.Eth.Miner())
			args := fallbackArgs(t, n, pending[:2]...)
			before := *args

			env, err := fallback(t.Context(), args)
			require.NoError(t, err)
			require.Equal(t, before, *args, "the caller's arguments were changed")
			require.Len(t, env.ExecutionPayload.Transactions, 3)
			for i, tx := range args.Transactions {
				want, err := tx.MarshalBinary()
				require.NoError(t, err)
				require.Equal(t, want, env.ExecutionPayload.Transactions[i])
			}
			plain.Insert(env)
			n.Insert(env)

			again, err := fallback(t.Context(), args)
			require.NoError(t, err)
			require.Equal(t, env.ExecutionPayload.BlockHash, again.ExecutionPayload.BlockHash)
		})
	}
}

// What op-geth cannot execute is an error and not a shorter block.
func TestFallbackErrors(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, withMiner)
	fallback := NewFallback(n.Eth.Miner())

	_, err := fallback(t.Context(), fallbackArgs(t, n, n.Transfer(5)))
	require.ErrorContains(t, err, "nonce too high")

	args := fallbackArgs(t, n)
	args.Parent = common.Hash{1}
	_, err = fallback(t.Context(), args)
	require.ErrorContains(t, err, "missing parent")
}
