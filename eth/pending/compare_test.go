// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// question is a method with its parameters, in which "BLOCK" stands for the block asked about.
type question struct {
	name   string
	method string
	params []any
}

// about fills in the block.
func (q question) about(block any) []any {
	out := make([]any, len(q.params))
	for i, p := range q.params {
		switch p := p.(type) {
		case string:
			if out[i] = p; p == "BLOCK" {
				out[i] = block
			}
		case object:
			cpy := object{}
			for k, v := range p {
				if cpy[k] = v; v == "BLOCK" {
					cpy[k] = block
				}
			}
			out[i] = cpy
		default:
			out[i] = p
		}
	}
	return out
}

// stateQuestions ask for what depends on a block's state and environment.
func stateQuestions() []question {
	read := object{"to": ethtest.Probe, "from": ethtest.Sender}
	write := object{"to": ethtest.Probe, "from": ethtest.Sender, "data": "0x01", "gas": "0x493e0"}
	moved := object{ethtest.User.Hex(): object{"balance": "0x1234"}, ethtest.Probe.Hex(): object{"stateDiff": object{common.Hash{31: 1}.Hex(): common.Hash{31: 9}.Hex()}}}
	return []question{
		{"balance", "eth_getBalance", []any{ethtest.Sender, "BLOCK"}},
		{"balance of the fee vault", "eth_getBalance", []any{common.HexToAddress("0x4200000000000000000000000000000000000011"), "BLOCK"}},
		{"nonce", "eth_getTransactionCount", []any{ethtest.Sender, "BLOCK"}},
		{"code", "eth_getCode", []any{ethtest.Probe, "BLOCK"}},
		{"storage", "eth_getStorageAt", []any{ethtest.Probe, "0x1", "BLOCK"}},
		{"storage values", "eth_getStorageValues", []any{map[common.Address][]common.Hash{ethtest.Probe: {{}, {31: 1}}}, "BLOCK"}},
		{"call", "eth_call", []any{read, "BLOCK"}},
		{"call with overrides merges per slot", "eth_call", []any{read, "BLOCK", moved}},
		{"call with block overrides", "eth_call", []any{read, "BLOCK", object{}, object{"time": "0x77777777"}}},
		{"estimate", "eth_estimateGas", []any{write, "BLOCK"}},
		{"access list", "eth_createAccessList", []any{write, "BLOCK"}},
		{"trace of a call", "debug_traceCall", []any{write, "BLOCK", object{"tracer": "callTracer"}}},
		{"trace of a read", "debug_traceCall", []any{read, "BLOCK", object{"tracer": "callTracer"}}},
		{"trace with overrides", "debug_traceCall", []any{read, "BLOCK", object{"tracer": "callTracer", "stateOverrides": moved, "blockOverrides": object{"time": "0x77777777"}}}},
		{"trace with logs", "debug_traceCall", []any{write, "BLOCK", object{"tracer": "callTracer", "tracerConfig": object{"withLog": true}}}},
		{"trace of changes", "debug_traceCall", []any{write, "BLOCK", object{"tracer": "prestateTracer", "tracerConfig": object{"diffMode": true}}}},
		{"struct logs", "debug_traceCall", []any{read, "BLOCK"}},
		{"trace in the middle", "debug_traceCall", []any{read, "BLOCK", object{"tracer": "callTracer", "txIndex": "0x2"}}},
	}
}

// blockQuestions ask for the block, its transactions, receipts and logs.
func blockQuestions() []question {
	return []question{
		{"block", "eth_getBlockByNumber", []any{"BLOCK", false}},
		{"full block", "eth_getBlockByNumber", []any{"BLOCK", true}},
		{"header", "eth_getHeaderByNumber", []any{"BLOCK"}},
		{"receipts", "eth_getBlockReceipts", []any{"BLOCK"}},
		{"count", "eth_getBlockTransactionCountByNumber", []any{"BLOCK"}},
		{"uncles", "eth_getUncleCountByBlockNumber", []any{"BLOCK"}},
		{"deposit by index", "eth_getTransactionByBlockNumberAndIndex", []any{"BLOCK", "0x0"}},
		{"transaction by index", "eth_getTransactionByBlockNumberAndIndex", []any{"BLOCK", "0x2"}},
		{"beyond the last", "eth_getTransactionByBlockNumberAndIndex", []any{"BLOCK", "0xffffffff"}},
		{"raw by index", "eth_getRawTransactionByBlockNumberAndIndex", []any{"BLOCK", "0x1"}},
		{"logs", "eth_getLogs", []any{object{"fromBlock": "BLOCK", "toBlock": "BLOCK"}}},
		{"logs from the start", "eth_getLogs", []any{object{"fromBlock": "0x0", "toBlock": "BLOCK", "address": ethtest.Probe}}},
		{"logs of somebody else", "eth_getLogs", []any{object{"fromBlock": "0x0", "toBlock": "BLOCK", "address": ethtest.User}}},
		{"fee history", "eth_feeHistory", []any{"0x3", "BLOCK", []float64{10, 50}}},
		{"fee history without rewards", "eth_feeHistory", []any{"0x10", "BLOCK", []float64{}}},
		{"struct logs of the block", "debug_traceBlockByNumber", []any{"BLOCK"}},
		{"changes of the block", "debug_traceBlockByNumber", []any{"BLOCK", object{"tracer": "prestateTracer", "tracerConfig": object{"diffMode": true}}}},
		{"trace", "debug_traceBlockByNumber", []any{"BLOCK", object{"tracer": "callTracer"}}},
		{"raw receipts", "debug_getRawReceipts", []any{"BLOCK"}},
	}
}

// normalize removes from an answer what cannot be known before a block is sealed.
func normalize(t testing.TB, raw string) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(raw), &v))
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, block := v["parentHash"]; block {
				for _, unknown := range []string{"hash", "stateRoot", "withdrawalsRoot"} {
					delete(v, unknown)
				}
			}
			delete(v, "blockHash")
			for _, member := range v {
				walk(member)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(v)
	return v
}

// Every answer at pending is what the canonical block says later: on the canonical chain, on a pending
// parent, and after the parent has become canonical underneath.
func TestPendingEqualsCanonical(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke())
	h.Settle(h.Seal())

	h.Begin()
	h.Flashblock(h.Poke(), h.Poke())
	h.Flashblock(h.Tx(ethtest.UserKey, &common.Address{0xbb}, nil), h.Poke())
	pending := h.answers("pending")
	second := h.Seal()

	h.Begin() // on a parent that is not canonical at the follower
	h.Flashblock(h.Poke(), h.Poke(), h.Poke())
	require.NotNil(t, h.Processor.Snapshot().Parent)
	chained := h.answers("pending")

	h.Settle(second)
	require.Nil(t, h.Processor.Snapshot().Parent)
	requireSame(t, h.answers("0x2"), pending)
	rebased := h.answers("pending")
	requireSame(t, rebased, chained)

	h.Settle(h.Seal())
	require.Equal(t, "null", h.Follower.Call("flashblocks_getPosition").Result)
	requireSame(t, h.answers("0x3"), rebased)
}

// A request looks at the overlay once, whatever it does with what it finds: two looks may see two moments.
func TestPendingIsTakenOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	tx := h.Poke()
	h.Flashblock(tx, h.Poke())
	questions := append(stateQuestions(), blockQuestions()...)
	questions = append(questions,
		question{"simulation", "eth_simulateV1", []any{simulation(3), "BLOCK"}},
		question{"by hash", "eth_getTransactionByHash", []any{tx.Hash()}},
		question{"raw by hash", "eth_getRawTransactionByHash", []any{tx.Hash()}},
		question{"receipt", "eth_getTransactionReceipt", []any{tx.Hash()}},
		question{"trace by hash", "debug_traceTransaction", []any{tx.Hash()}},
		question{"raw block", "debug_getRawBlock", []any{"BLOCK"}},
		question{"raw header", "debug_getRawHeader", []any{"BLOCK"}},
		question{"read", "flashblocks_read", []any{object{"method": "eth_call", "params": []any{object{"to": ethtest.Probe}, "pending"}}}},
	)
	for _, q := range questions {
		before := h.Source.Asked.Load()
		require.Empty(t, h.Follower.Call(q.method, q.about("pending")...).Error, q.name)
		require.EqualValues(t, 1, h.Source.Asked.Load()-before, q.name)
	}
}

// answers asks everything about a block.
func (h *harness) answers(about string) map[string]answer {
	h.t.Helper()
	out := make(map[string]answer)
	for _, q := range append(stateQuestions(), blockQuestions()...) {
		a := h.Follower.Call(q.method, q.about(about)...)
		require.Empty(h.t, a.Error, "%s at %s", q.name, about)
		out[q.name] = a
	}
	return out
}

// requireSame compares answers but for what cannot be known before a block is sealed.
func requireSame(t *testing.T, want, got map[string]answer) {
	t.Helper()
	for name := range want {
		require.Equal(t, normalize(t, want[name].Result), normalize(t, got[name].Result), name)
	}
}

// The forms of pending objects that clients depend on.
func TestPendingForms(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	poke := h.Poke()
	h.Flashblock(poke)

	var block struct {
		Hash         *common.Hash
		ParentHash   common.Hash
		Number       string
		Withdrawals  []any
		Transactions []map[string]any
		TxRoot       common.Hash `json:"transactionsRoot"`
	}
	h.Ask(&block, "eth_getBlockByNumber", "pending", true)
	require.Equal(t, new(common.Hash), block.Hash)
	require.Equal(t, h.Follower.GenesisHash(), block.ParentHash)
	require.Equal(t, "0x1", block.Number)
	require.NotNil(t, block.Withdrawals)
	require.Len(t, block.Transactions, 2)
	require.NotEqual(t, common.Hash{}, block.TxRoot)

	var byHash map[string]any
	h.Ask(&byHash, "eth_getTransactionByHash", poke.Hash())
	require.Equal(t, block.Transactions[1], byHash)
	require.Nil(t, byHash["blockHash"])
	require.Equal(t, "0x1", byHash["blockNumber"])
	require.Equal(t, "0x1", byHash["transactionIndex"])
	header := h.Processor.Snapshot().Header
	price := new(big.Int).Add(poke.GasTipCap(), header.BaseFee)
	require.Equal(t, "0x"+price.Text(16), byHash["gasPrice"])

	var receipt map[string]any
	h.Ask(&receipt, "eth_getTransactionReceipt", poke.Hash())
	require.Equal(t, common.Hash{}.Hex(), receipt["blockHash"])
	for _, field := range []string{"l1Fee", "l1GasUsed", "l1GasPrice", "l1BaseFeeScalar", "operatorFeeScalar", "operatorFeeConstant", "daFootprintGasScalar", "blobGasUsed", "effectiveGasPrice"} {
		require.NotContains(t, []any{nil, "0x0"}, receipt[field], field)
	}
	logs, _ := receipt["logs"].([]any)
	require.Len(t, logs, 1)
	entry, _ := logs[0].(map[string]any)
	require.Equal(t, common.Hash{}.Hex(), entry["blockHash"])
	require.Equal(t, false, entry["removed"])

	var deposit map[string]any
	h.Ask(&deposit, "eth_getTransactionReceipt", block.Transactions[0]["hash"])
	require.Equal(t, "0x1", deposit["depositReceiptVersion"])
	require.Equal(t, "0x0", deposit["depositNonce"])

	var raw string
	h.Ask(&raw, "eth_getRawTransactionByHash", poke.Hash())
	enc, err := poke.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, ethtest.HexBytes(enc), raw)

	var traces []struct {
		TxHash common.Hash
		Result json.RawMessage
	}
	tracer := object{"tracer": "callTracer"}
	h.Ask(&traces, "debug_traceBlockByNumber", "pending", tracer)
	require.Equal(t, poke.Hash(), traces[1].TxHash)
	require.JSONEq(t, string(traces[1].Result), h.Follower.Call("debug_traceTransaction", poke.Hash(), tracer).Result)

	proof := h.Follower.Call("eth_getProof", ethtest.Sender, []string{}, "pending")
	require.Equal(t, errNoPendingProof.Error(), proof.Error)

	// Once canonical, the canonical form is served.
	env := h.Seal()
	h.Settle(env)
	h.Ask(&receipt, "eth_getTransactionReceipt", poke.Hash())
	require.Equal(t, env.ExecutionPayload.BlockHash.Hex(), receipt["blockHash"])
	h.Ask(&byHash, "eth_getTransactionByHash", poke.Hash())
	require.Equal(t, env.ExecutionPayload.BlockHash.Hex(), byHash["blockHash"])
}

// Transactions and receipts of a pending parent are found as well.
func TestPendingAncestor(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	first := h.Poke()
	h.Flashblock(first)
	env := h.Seal()
	h.Begin()
	second := h.Poke()
	h.Flashblock(second)

	for number, tx := range map[string]*types.Transaction{"0x1": first, "0x2": second} {
		var receipt, byHash map[string]any
		h.Ask(&receipt, "eth_getTransactionReceipt", tx.Hash())
		require.Equal(t, number, receipt["blockNumber"])
		h.Ask(&byHash, "eth_getTransactionByHash", tx.Hash())
		require.Equal(t, number, byHash["blockNumber"])
	}
	// BLOCKHASH knows the pending parent by the hash it will have, and what is under it.
	var out string
	h.Ask(&out, "eth_call", object{"to": ethtest.Probe}, "pending")
	words := common.FromHex(out)
	require.Equal(t, env.ExecutionPayload.BlockHash, common.BytesToHash(words[160:192]))
	require.Equal(t, h.Follower.GenesisHash(), common.BytesToHash(words[192:224]))
	h.Settle(env)
	var after string
	h.Ask(&after, "eth_call", object{"to": ethtest.Probe}, "pending")
	require.Equal(t, out, after)
}
