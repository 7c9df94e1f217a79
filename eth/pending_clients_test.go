// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

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
)

// go-ethereum's client takes every pending object as it is.
func TestEthclient(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	client := ethclient.NewClient(h.follower.client)
	pending := big.NewInt(rpc.PendingBlockNumber.Int64())
	ctx := t.Context()
	for _, txs := range []int{0, 1, 2} {
		if txs == 0 {
			h.begin()
		}
		var sent []*types.Transaction
		for range txs {
			sent = append(sent, h.poke())
		}
		if txs > 0 {
			h.flashblock(sent...)
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
		nonce, err := client.PendingNonceAt(ctx, sender)
		require.NoError(t, err)
		require.EqualValues(t, len(receipts)-1, nonce)
		_, err = client.PendingBalanceAt(ctx, sender)
		require.NoError(t, err)
		out, err := client.PendingCallContract(ctx, ethereum.CallMsg{To: &probeAddr})
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
	h := newPendingHarness(t)
	h.begin()
	h.flashblock(h.poke(), h.poke(), h.poke())
	env := h.seal()
	h.begin()
	h.flashblock(h.poke())

	request := simulation(2)
	blocks, ok := request["blockStateCalls"].([]object)
	require.True(t, ok)
	blocks[0]["stateOverrides"] = object{probeAddr.Hex(): object{"stateDiff": object{common.Hash{31: 1}.Hex(): common.Hash{31: 40}}}}
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
		h.ask(&out, "eth_simulateV1", request, tag)
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
	h.settle(env)
	h.settle(h.seal())
	for i, block := range ask("latest") {
		require.Equal(t, out[i].Number, block.Number)
		require.Equal(t, out[i].Calls[0], block.Calls[0])
		require.Equal(t, out[i].Calls[1].ReturnData[:160], block.Calls[1].ReturnData[:160])
	}
}

// GraphQL's pending object is the same pending, one view for all its fields.
func TestPendingGraphQL(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	h.begin()
	h.flashblock(h.poke(), h.poke())
	query := `{ pending { account(address: "` + sender.Hex() + `") { transactionCount balance }
		probe: account(address: "` + probeAddr.Hex() + `") { storage(slot: "` + common.Hash{31: 1}.Hex() + `") }
		call(data: {to: "` + probeAddr.Hex() + `"}) { data } } }`
	before := h.source.asked.Load()
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
	require.EqualValues(t, 1, h.source.asked.Load()-before, "one view for all fields")
	require.Equal(t, "0x2", out.Data.Pending.Account.TransactionCount)
	require.Equal(t, h.follower.call("eth_getBalance", sender, "pending").Result, `"`+out.Data.Pending.Account.Balance+`"`)
	require.Equal(t, common.Hash{31: 2}, out.Data.Pending.Probe.Storage)
	require.EqualValues(t, 1, out.Data.Pending.Call.Data[31])
	require.EqualValues(t, 2, out.Data.Pending.Call.Data[159])
}

// GraphQL's transactions of the pending state are those of the block under construction, which a follower has
// in no pool.
func TestPendingGraphQLTransactions(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
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
	tx := h.poke()
	h.begin()
	h.flashblock(tx)
	h.graph(&out, `{ pending { transactionCount transactions `+fields+` } transaction(hash: "`+tx.Hash().Hex()+`") `+fields+` }`)
	require.Equal(t, "0x2", out.Data.Pending.TransactionCount)
	want := transaction{Hash: tx.Hash(), Nonce: "0x0"}
	want.From.Address = sender
	require.Equal(t, want, out.Data.Pending.Transactions[1])
	require.Equal(t, &want, out.Data.Transaction)
	h.settle(h.seal())
	h.graph(&out, `{ transaction(hash: "`+tx.Hash().Hex()+`") `+fields+` }`)
	require.NotNil(t, out.Data.Transaction.Block, "canonical")
}

// graph makes a GraphQL query at the follower.
func (h *pendingHarness) graph(out any, query string) {
	h.t.Helper()
	body, err := json.Marshal(object{"query": query})
	require.NoError(h.t, err)
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.follower.stack.HTTPEndpoint()+"/graphql", bytes.NewReader(body))
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
	h := newPendingHarness(t)
	require.Equal(t, "null", h.follower.call("flashblocks_getPosition").Result)
	h.begin()
	var at Position
	h.ask(&at, "flashblocks_getPosition")
	require.Equal(t, Position{BlockNumber: 1, ID: h.id, ParentHash: h.follower.genesisHash()}, at)

	a := h.follower.call("flashblocks_waitForPosition", "0x1", "0x5", 1)
	require.Equal(t, codeTimeout, a.Code)
	require.Contains(t, a.Data, h.id.String())

	done := make(chan answer, 1)
	go func() { done <- h.follower.call("flashblocks_waitForPosition", "0x1", "0x2", "0x7530") }()
	h.deliver(h.next())
	h.deliver(h.next())
	require.Contains(t, (<-done).Result, `"index":"0x2"`)
	require.Contains(t, h.follower.call("flashblocks_waitForPosition", "0x1", "0x1").Result, `"index":"0x2"`, "behind it")

	go func() { done <- h.follower.call("flashblocks_waitForPosition", "0x1", "0xff", 30_000) }()
	h.settle(h.seal())
	require.Equal(t, "null", (<-done).Result, "canonical")
}

// Questions about anything but pending do not look at the overlay at all.
func TestLatestLeavesTheOverlayAlone(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	h.begin()
	h.flashblock(h.poke(), h.poke())
	h.settle(h.seal())
	before := h.source.asked.Load()
	h.answers("latest")
	h.answers("0x1")
	require.Equal(t, before, h.source.asked.Load())
}
