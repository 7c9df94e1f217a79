// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// A block of the testing namespace is op-geth's: of the pool, of no transactions, of given ones, and with extra data.
func TestBuildBlockLikeStock(t *testing.T) {
	t.Parallel()
	for _, f := range ethtest.Forks {
		ours, theirs := newNode(t, f, withMiner), newNode(t, f, stock)
		for _, n := range []*ethtest.Node{ours, theirs} {
			require.NoError(t, n.Eth.TxPool().Add([]*types.Transaction{n.Transfer(0)}, true)[0])
			require.NoError(t, n.Eth.TxPool().Sync())
		}
		given, err := ours.Transfer(0).MarshalBinary()
		require.NoError(t, err)
		attrs := f.Attributes(ethtest.GenesisTime, 0)
		for _, parent := range []common.Hash{ours.GenesisHash(), {1}} {
			for _, txs := range []any{nil, []string{}, []string{ethtest.HexBytes(given)}, []string{"0x01"}} {
				for _, extra := range []any{nil, "0x", "0x0102"} {
					want := theirs.Call("testing_buildBlockV1", parent, attrs, txs, extra)
					require.Equal(t, want, ours.Call("testing_buildBlockV1", parent, attrs, txs, extra), "%s: %v, %v", f, txs, extra)
				}
			}
		}
	}
}
