// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// The builder hears of every setting, and the answers are op-geth's.
func TestMinerAPIForwards(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	ours, theirs := newNode(t, ethtest.Jovian, withBuilder(fake)), newNode(t, ethtest.Jovian, stock)
	for _, tt := range []struct {
		method string
		params []any
		want   []any
	}{
		{"miner_setMaxDASize", []any{"0x64", "0x3e8"}, []any{"100", "1000"}},
		{"miner_setMaxDASize", []any{"0x0", "0x0"}, []any{"0", "0"}},
		{"miner_setMaxDASize", []any{"0x0", "0x1"}, []any{"0", "1"}},
		{"miner_setMaxDASize", []any{"0x1"}, nil},
		{"miner_setMaxDASize", []any{"-0x1", "0x1"}, nil},
		{"miner_setGasLimit", []any{"0x1c9c380"}, []any{uint64(30_000_000)}},
		{"miner_setGasLimit", []any{"0x0"}, []any{uint64(0)}},
		{"miner_setGasLimit", []any{5}, nil},
		{"miner_setGasPrice", []any{"0x3b9aca00"}, []any{big.NewInt(1_000_000_000)}},
		{"miner_setGasPrice", []any{"cheap"}, nil},
		{"miner_setExtra", []any{"extra"}, nil},
	} {
		fake.limits = nil
		require.Equal(t, theirs.Call(tt.method, tt.params...), ours.Call(tt.method, tt.params...), "%s%v", tt.method, tt.params)
		require.Equal(t, tt.want, fake.limits, "%s%v", tt.method, tt.params)
	}
	// op-geth's own miner and pool are set as well: they serve what the builder leaves to them.
	require.Equal(t, "true", ours.Call("miner_setGasPrice", "0x77359400").Result)
	require.ErrorIs(t, ours.Eth.TxPool().Add([]*types.Transaction{ours.Transfer(0)}, true)[0], txpool.ErrTxGasPriceTooLow)
}
