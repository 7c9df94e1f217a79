// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// v0Params is what flashblocks_subscribe delivers.
type v0Params struct {
	Index        uint64          `json:"index"`
	BlockNumber  hexutil.Uint64  `json:"blockNumber"`
	ParentHash   common.Hash     `json:"parentHash"`
	Transactions []hexutil.Bytes `json:"transactions"`
	Receipts     []struct {
		TransactionHash common.Hash `json:"transactionHash"`
	} `json:"receipts"`
	StateRoot    common.Hash    `json:"stateRoot"`
	GasUsed      hexutil.Uint64 `json:"gasUsed"`
	Sealed       bool           `json:"sealed"`
	Reorg        bool           `json:"reorg"`
	Disconnected bool           `json:"disconnected"`
}

// A v0 subscription tells of flashblocks, of the loss of an attempt, of the seal and of the upstream.
func TestSubscribeV0(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	items := h.subscribe("flashblocks", "flashblocks")
	h.Begin()
	first := receiveItem[v0Params](t, items)
	require.Equal(t, []uint64{0, 1}, []uint64{first.Index, uint64(first.BlockNumber)})
	require.Equal(t, h.Sequencer.GenesisHash(), first.ParentHash)
	require.Len(t, first.Transactions, 1)

	h.Deliver(h.Build(h.Sequencer.Eth.BlockChain().CurrentBlock(), 1))
	lost := receiveItem[v0Params](t, items)
	require.True(t, lost.Reorg)
	require.Equal(t, uint64(1), uint64(lost.BlockNumber))
	require.Zero(t, receiveItem[v0Params](t, items).Index)

	tx := h.withLog()
	h.Flashblock(tx)
	var got v0Params
	for len(got.Transactions) == 0 {
		got = receiveItem[v0Params](t, items)
	}
	require.Len(t, got.Receipts, 1)
	require.Equal(t, tx.Hash(), got.Receipts[0].TransactionHash)
	require.Zero(t, got.StateRoot)

	env := h.Seal()
	h.drain()
	h.Settle(env)
	for !got.Sealed {
		got = receiveItem[v0Params](t, items)
		require.False(t, got.Reorg)
	}
	require.Equal(t, env.ExecutionPayload.StateRoot, got.StateRoot)
	require.Equal(t, env.ExecutionPayload.GasUsed, uint64(got.GasUsed))

	h.feed.Lost(flashblocks.FlashblockID{BlockNumber: 1, Index: 2})
	require.True(t, receiveItem[v0Params](t, items).Disconnected)
}
