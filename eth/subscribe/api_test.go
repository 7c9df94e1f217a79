// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// The whole pending block comes once per flashblock, and is what eth_getBlockByNumber answers.
func TestSubscribeNewFlashblocks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	items := h.subscribe("eth", "newFlashblocks")
	type block struct {
		Number       hexutil.Uint64      `json:"number"`
		Hash         common.Hash         `json:"hash"`
		Transactions []types.Transaction `json:"transactions"`
	}
	h.Begin()
	first := receiveItem[block](t, items)
	require.Equal(t, uint64(1), uint64(first.Number))
	require.Zero(t, first.Hash)
	require.Len(t, first.Transactions, 1)
	txs := []*types.Transaction{h.withLog(), h.withLog()}
	h.Flashblock(txs...)
	var asked, pushed any
	h.Ask(&asked, "eth_getBlockByNumber", "pending", true)
	for s := h.Processor.Snapshot(); ; {
		raw := receiveItem[json.RawMessage](t, items)
		var got block
		require.NoError(t, json.Unmarshal(raw, &got))
		if len(got.Transactions) == len(s.Txs) {
			require.NoError(t, json.Unmarshal(raw, &pushed))
			break
		}
	}
	require.Equal(t, asked, pushed)
}

// Transactions come as hashes, as whole objects with their outcome, or filtered by their logs.
func TestSubscribeTransactions(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var (
		absent   = h.subscribe("eth", "newFlashblockTransactions")
		hashes   = h.subscribe("eth", "newFlashblockTransactions", false)
		full     = h.subscribe("eth", "newFlashblockTransactions", true)
		filtered = h.subscribe("eth", "newFlashblockTransactions", object{"address": ethtest.Probe})
	)
	h.Begin()
	tx := h.withLog()
	h.Flashblock(tx)
	s := h.Processor.Snapshot()
	require.Len(t, s.Txs, 2)
	for i := range s.Txs {
		require.Equal(t, s.Txs[i].Hash(), receiveItem[common.Hash](t, absent))
		require.Equal(t, s.Txs[i].Hash(), receiveItem[common.Hash](t, hashes))
	}
	type outcome struct {
		Hash    common.Hash    `json:"hash"`
		Number  *hexutil.Big   `json:"blockNumber"`
		Index   hexutil.Uint64 `json:"transactionIndex"`
		Block   *common.Hash   `json:"blockHash"`
		GasUsed hexutil.Uint64 `json:"gasUsed"`
		Status  hexutil.Uint64 `json:"status"`
		Logs    []types.Log    `json:"logs"`
	}
	deposit := receiveItem[outcome](t, full)
	require.Equal(t, s.Txs[0].Hash(), deposit.Hash)
	require.Empty(t, deposit.Logs)
	require.NotNil(t, deposit.Logs, "null where clients expect an array")
	for _, items := range []<-chan json.RawMessage{full, filtered} {
		got := receiveItem[outcome](t, items)
		require.Equal(t, tx.Hash(), got.Hash)
		require.Equal(t, uint64(1), got.Number.ToInt().Uint64())
		require.Nil(t, got.Block)
		require.Equal(t, hexutil.Uint64(1), got.Index)
		require.Equal(t, s.Receipts[1].GasUsed, uint64(got.GasUsed))
		require.Equal(t, s.Receipts[1].Status, uint64(got.Status))
		require.Len(t, got.Logs, len(s.Receipts[1].Logs))
		require.NotEmpty(t, got.Logs)
	}
	require.Empty(t, filtered, "a transaction without a matching log")
	var failed error
	_, failed = h.client.EthSubscribe(t.Context(), make(chan any), "newFlashblockTransactions", "yes")
	require.ErrorContains(t, failed, "a boolean or a filter object")
	requireInvalidParams(t, failed)
}

// Logs come once, match the filter, and come again as removed if their block is replaced. Who subscribed
// later hears nothing of what it was not told.
func TestSubscribePendingLogs(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	all, other := h.subscribe("eth", "pendingLogs"), h.subscribe("eth", "pendingLogs", object{"address": common.Address{1}})
	h.Begin()
	h.Flashblock(h.withLog())
	s := h.Processor.Snapshot()
	want := s.Logs()
	require.NotEmpty(t, want)
	for _, l := range want {
		got := receiveItem[types.Log](t, all)
		require.Equal(t, l.TxHash, got.TxHash)
		require.Equal(t, l.Index, got.Index)
		require.False(t, got.Removed)
	}
	late := h.subscribe("eth", "pendingLogs", nil)

	h.Deliver(h.Build(h.Sequencer.Eth.BlockChain().CurrentBlock(), 1)) // another attempt, without the transaction yet
	for _, l := range want {
		got := receiveItem[types.Log](t, all)
		require.Equal(t, l.TxHash, got.TxHash)
		require.True(t, got.Removed)
	}
	h.Flashblock(h.withLog())
	require.False(t, receiveItem[types.Log](t, late).Removed, "what it was never told of")
	require.Empty(t, other)
	_, err := h.client.EthSubscribe(t.Context(), make(chan any), "pendingLogs", object{"blockHash": common.Hash{1}})
	require.ErrorContains(t, err, "takes no blockHash")
	requireInvalidParams(t, err)
}

// requireInvalidParams wants the error code of JSON-RPC 2.0 for parameters that cannot be.
func requireInvalidParams(t *testing.T, err error) {
	t.Helper()
	var coded rpc.Error
	require.ErrorAs(t, err, &coded)
	require.Equal(t, -32602, coded.ErrorCode())
}
