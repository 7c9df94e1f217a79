// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// go-ethereum's client takes every pending object as it is.
func TestEthclient(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	client := ethclient.NewClient(h.Follower.Client)
	pending := big.NewInt(rpc.PendingBlockNumber.Int64())
	ctx := t.Context()
	for _, txs := range []int{0, 1, 2} {
		if txs == 0 {
			h.Begin()
		}
		var sent []*types.Transaction
		for range txs {
			sent = append(sent, h.Poke())
		}
		if txs > 0 {
			h.Flashblock(sent...)
		}
		block, err := client.BlockByNumber(ctx, pending)
		require.NoError(t, err)
		require.EqualValues(t, 1, block.NumberU64())
		header, err := client.HeaderByNumber(ctx, pending)
		require.NoError(t, err)
		require.Equal(t, block.TxHash(), header.TxHash)
		receipts, err := client.BlockReceipts(ctx, rpc.BlockNumberOrHashWithNumber(rpc.PendingBlockNumber))
		require.NoError(t, err)
		require.Len(t, receipts, block.Transactions().Len())
		count, err := client.PendingTransactionCount(ctx)
		require.NoError(t, err)
		require.EqualValues(t, len(receipts), count)
		for _, tx := range sent {
			receipt, err := client.TransactionReceipt(ctx, tx.Hash())
			require.NoError(t, err)
			require.Equal(t, common.Hash{}, receipt.BlockHash)
			got, inPool, err := client.TransactionByHash(ctx, tx.Hash())
			require.NoError(t, err)
			require.False(t, inPool)
			require.Equal(t, tx.Hash(), got.Hash())
		}
		nonce, err := client.PendingNonceAt(ctx, ethtest.Sender)
		require.NoError(t, err)
		require.EqualValues(t, len(receipts)-1, nonce)
		_, err = client.PendingBalanceAt(ctx, ethtest.Sender)
		require.NoError(t, err)
		out, err := client.PendingCallContract(ctx, ethereum.CallMsg{To: &ethtest.Probe})
		require.NoError(t, err)
		require.Equal(t, nonce, new(big.Int).SetBytes(out[128:160]).Uint64())
		logs, err := client.FilterLogs(ctx, ethereum.FilterQuery{FromBlock: common.Big0, ToBlock: pending})
		require.NoError(t, err)
		require.Len(t, logs, len(receipts)-1)
		_, err = client.FeeHistory(ctx, 2, pending, []float64{50})
		require.NoError(t, err)
	}
}

// Simulated blocks follow the pending block and see its state once: what the first writes is there for
// the second, and overrides replace the slots they name only.
func TestPendingSimulation(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke(), h.Poke(), h.Poke())
	env := h.Seal()
	h.Begin()
	h.Flashblock(h.Poke())

	request := simulation(2)
	blocks, ok := request["blockStateCalls"].([]object)
	require.True(t, ok)
	blocks[0]["stateOverrides"] = object{ethtest.Probe.Hex(): object{"stateDiff": object{common.Hash{31: 1}.Hex(): common.Hash{31: 40}}}}
	type result []struct {
		Number     hexutil.Uint64
		ParentHash common.Hash
		Calls      []struct {
			ReturnData hexutil.Bytes
			Status     hexutil.Uint64
		}
	}
	ask := func(tag string) result {
		var out result
		h.Ask(&out, "eth_simulateV1", request, tag)
		require.Len(t, out, 2)
		return out
	}
	out := ask("pending")
	for i, block := range out {
		require.EqualValues(t, 3+i, block.Number)
		read := block.Calls[1].ReturnData
		require.EqualValues(t, 3+i, new(big.Int).SetBytes(read[96:128]).Uint64(), "the write before it")
		require.EqualValues(t, 41+i, new(big.Int).SetBytes(read[128:160]).Uint64(), "overridden once, then counted")
	}
	h.Settle(env)
	h.Settle(h.Seal())
	for i, block := range ask("latest") {
		require.Equal(t, out[i].Number, block.Number)
		require.Equal(t, out[i].Calls[0], block.Calls[0])
		require.Equal(t, out[i].Calls[1].ReturnData[:160], block.Calls[1].ReturnData[:160])
	}
}

// GraphQL's pending object is the same pending, one view for all its fields.
func TestPendingGraphQL(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke(), h.Poke())
	query := `{ pending { account(address: "` + ethtest.Sender.Hex() + `") { transactionCount balance }
		probe: account(address: "` + ethtest.Probe.Hex() + `") { storage(slot: "` + common.Hash{31: 1}.Hex() + `") }
		call(data: {to: "` + ethtest.Probe.Hex() + `"}) { data } } }`
	before := h.Source.Asked.Load()
	var out struct {
		Data struct {
			Pending struct {
				Account struct{ TransactionCount, Balance string }
				Probe   struct{ Storage common.Hash }
				Call    struct{ Data hexutil.Bytes }
			}
		}
	}
	h.graph(&out, query)
	require.EqualValues(t, 1, h.Source.Asked.Load()-before, "one view for all fields")
	require.Equal(t, "0x2", out.Data.Pending.Account.TransactionCount)
	require.Equal(t, h.Follower.Call("eth_getBalance", ethtest.Sender, "pending").Result, `"`+out.Data.Pending.Account.Balance+`"`)
	require.Equal(t, common.Hash{31: 2}, out.Data.Pending.Probe.Storage)
	require.EqualValues(t, 1, out.Data.Pending.Call.Data[31])
	require.EqualValues(t, 2, out.Data.Pending.Call.Data[159])
}

// GraphQL's transactions of the pending state are those of the block under construction, which a follower has
// in no pool.
func TestPendingGraphQLTransactions(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	type transaction struct {
		Hash  common.Hash
		Nonce string
		From  struct{ Address common.Address }
		Block *struct{}
	}
	var out struct {
		Data struct {
			Pending struct {
				TransactionCount string
				Transactions     []transaction
			}
			Transaction *transaction
		}
	}
	fields := `{ hash nonce from { address } block { number } }`
	h.graph(&out, `{ pending { transactionCount transactions `+fields+` } }`)
	require.Equal(t, "0x0", out.Data.Pending.TransactionCount, "pending is latest, and the pool is empty")
	tx := h.Poke()
	h.Begin()
	h.Flashblock(tx)
	h.graph(&out, `{ pending { transactionCount transactions `+fields+` } transaction(hash: "`+tx.Hash().Hex()+`") `+fields+` }`)
	require.Equal(t, "0x2", out.Data.Pending.TransactionCount)
	want := transaction{Hash: tx.Hash(), Nonce: "0x0"}
	want.From.Address = ethtest.Sender
	require.Equal(t, want, out.Data.Pending.Transactions[1])
	require.Equal(t, &want, out.Data.Transaction)
	h.Settle(h.Seal())
	h.graph(&out, `{ transaction(hash: "`+tx.Hash().Hex()+`") `+fields+` }`)
	require.NotNil(t, out.Data.Transaction.Block, "canonical")
}

// graph makes a GraphQL query at the follower.
func (h *harness) graph(out any, query string) {
	h.t.Helper()
	body, err := json.Marshal(object{"query": query})
	require.NoError(h.t, err)
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.Follower.Stack.HTTPEndpoint()+"/graphql", bytes.NewReader(body))
	require.NoError(h.t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	defer func() { require.NoError(h.t, res.Body.Close()) }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	require.NotContains(h.t, string(raw), `"errors"`)
	require.NoError(h.t, json.Unmarshal(raw, out))
}

// Clients learn the position of pending answers and can wait for one.
func TestPosition(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	require.Equal(t, "null", h.Follower.Call("flashblocks_getPosition").Result)
	h.Begin()
	var at Position
	h.Ask(&at, "flashblocks_getPosition")
	require.Equal(t, Position{BlockNumber: 1, ID: h.ID, ParentHash: h.Follower.GenesisHash()}, at)

	a := h.Follower.Call("flashblocks_waitForPosition", "0x1", "0x5", 1)
	require.Equal(t, codeTimeout, a.Code)
	require.Contains(t, a.Data, h.ID.String())

	done := make(chan answer, 1)
	go func() { done <- h.Follower.Call("flashblocks_waitForPosition", "0x1", "0x2", "0x7530") }()
	h.Deliver(h.Next())
	h.Deliver(h.Next())
	require.Contains(t, (<-done).Result, `"index":"0x2"`)
	require.Contains(t, h.Follower.Call("flashblocks_waitForPosition", "0x1", "0x1").Result, `"index":"0x2"`, "behind it")

	go func() { done <- h.Follower.Call("flashblocks_waitForPosition", "0x1", "0xff", 30_000) }()
	h.Settle(h.Seal())
	require.Equal(t, "null", (<-done).Result, "canonical")
}

// Questions about anything but pending do not look at the overlay at all.
func TestLatestLeavesTheOverlayAlone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke(), h.Poke())
	h.Settle(h.Seal())
	before := h.Source.Asked.Load()
	h.answers("latest")
	h.answers("0x1")
	require.Equal(t, before, h.Source.Asked.Load())
}
