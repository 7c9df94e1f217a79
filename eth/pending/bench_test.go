// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// BenchmarkCall compares eth_call at latest, on op-geth's services, with the same call at pending, on a
// block of 500 transactions.
func BenchmarkCall(b *testing.B) {
	h := newHarness(b)
	h.Begin()
	var txs []*types.Transaction
	for range 500 {
		txs = append(txs, h.Poke())
	}
	h.Flashblock(txs...)
	args := ethapi.TransactionArgs{To: &ethtest.Probe}
	call := func(b *testing.B, number rpc.BlockNumber, make func(*rpc.BlockNumberOrHash) (hexutil.Bytes, error)) {
		b.Helper()
		at := rpc.BlockNumberOrHashWithNumber(number)
		for b.Loop() {
			if _, err := make(&at); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("latest", func(b *testing.B) {
		api := ethapi.NewBlockChainAPI(h.backend.EthAPIBackend)
		call(b, rpc.LatestBlockNumber, func(at *rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
			return api.Call(b.Context(), args, at, nil, nil)
		})
	})
	b.Run("pending", func(b *testing.B) {
		api := newEthAPI(h.backend)
		call(b, rpc.PendingBlockNumber, func(at *rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
			return api.Call(b.Context(), args, at, nil, nil)
		})
	})
}
