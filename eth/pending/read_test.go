// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// Every readable method answers through flashblocks_read what it answers by itself, with the position.
func TestReadCarriesPosition(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke(), h.Poke())
	s := h.Processor.Snapshot()
	for _, q := range append(stateQuestions(), blockQuestions()...) {
		if _, ok := readable[q.method]; !ok {
			continue
		}
		var got ReadResult
		h.Ask(&got, "flashblocks_read", object{"method": q.method, "params": q.about("pending")})
		require.EqualValues(t, 1, got.Position.BlockNumber, q.name)
		require.EqualValues(t, s.Index, got.Position.Index, q.name)
		require.Equal(t, s.PayloadID, got.Position.ID, q.name)
		require.JSONEq(t, h.Follower.Call(q.method, q.about("pending")...).Result, string(got.Result), q.name)
	}

	// Errors come through with code and data.
	failing := object{"to": ethtest.Sender, "from": ethtest.Probe, "value": "0xffffffffffffffffffffff"}
	require.Equal(t, h.Follower.Call("eth_estimateGas", failing, "pending"),
		h.Follower.Call("flashblocks_read", object{"method": "eth_estimateGas", "params": []any{failing, "pending"}}))
	refused := h.Follower.Call("flashblocks_read", object{"method": "eth_sendRawTransaction", "params": []any{"0x"}})
	require.Equal(t, codeInvalidParams, refused.Code)
	require.Contains(t, refused.Error, `"eth_sendRawTransaction"`)
	require.Equal(t, codeInvalidParams, h.Follower.Call("flashblocks_read", object{"method": "eth_getBalance"}).Code)
}

// A read waits for the position that it must not be behind.
func TestReadAtLeast(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	request := object{"method": "eth_getBlockTransactionCountByNumber", "params": []any{"pending"}}
	late := h.Follower.Call("flashblocks_read", request.With(object{"minimum": object{"blockNumber": "0x1", "index": "0x1"}, "timeout": 1}))
	require.Equal(t, codeTimeout, late.Code)
	require.Contains(t, late.Data, `"index":"0x0"`)

	done := make(chan answer, 1)
	go func() {
		done <- h.Follower.Call("flashblocks_read", request.With(object{"minimum": object{"blockNumber": "0x1", "index": "0x1"}}))
	}()
	h.Flashblock(h.Poke())
	a := <-done
	require.Empty(t, a.Error)
	var got ReadResult
	require.NoError(t, json.Unmarshal([]byte(a.Result), &got))
	require.GreaterOrEqual(t, uint64(got.Position.Index), uint64(1))

	h.Settle(h.Seal())
	h.Ask(&got, "flashblocks_read", request.With(object{"minimum": object{"blockNumber": "0x1", "index": "0xff"}}))
	require.Nil(t, got.Position, "canonical: pending is latest, which is not behind")
	require.JSONEq(t, `"0x2"`, string(got.Result))
}

// positionAPI returns the API of positions over the follower's pending state.
func (h *harness) positionAPI() *PositionAPI {
	h.t.Helper()
	logs := filters.NewFilterSystem(h.backend, filters.Config{})
	api, err := newPositionAPI(h.backend, services(h.backend, logs, &ethconfig.Defaults))
	require.NoError(h.t, err)
	return api
}

// A node serves through flashblocks_read what it has enabled: no traces and nothing raw without the debug
// namespace, over HTTP and over websockets.
func TestReadKeepsNamespaces(t *testing.T) {
	t.Parallel()
	n := ethtest.NewNode(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	cfg := n.Stack.Config()
	cfg.HTTPModules, cfg.WSModules = []string{"eth", "flashblocks"}, []string{"eth", "flashblocks"}
	cfg.WSHost = "127.0.0.1"
	serve(t, n)
	n.Start()

	for _, url := range []string{n.Stack.HTTPEndpoint(), n.Stack.WSEndpoint()} {
		client, err := rpc.DialContext(t.Context(), url)
		require.NoError(t, err)
		defer client.Close()
		refusal := func(method string, params ...any) int {
			var coded rpc.Error
			require.ErrorAs(t, client.CallContext(t.Context(), new(any), method, params...), &coded, "%s over %s", method, url)
			return coded.ErrorCode()
		}
		for method, params := range map[string][]any{
			"debug_traceCall":          {object{"to": ethtest.User}, "pending"},
			"debug_traceBlockByNumber": {"pending", object{"timeout": "1h"}},
			"debug_traceTransaction":   {common.Hash{1}},
			"debug_getRawHeader":       {"pending"},
			"debug_getRawBlock":        {"pending"},
			"debug_getRawReceipts":     {"pending"},
		} {
			require.Equal(t, ethtest.CodeNotFound, refusal(method, params...), method)
			require.Equal(t, codeInvalidParams, refusal("flashblocks_read", object{"method": method, "params": params}), method)
		}
		var got ReadResult
		require.NoError(t, client.CallContext(t.Context(), &got, "flashblocks_read", object{"method": "eth_getBalance", "params": []any{ethtest.User, "pending"}}))
		var balance json.RawMessage
		require.NoError(t, client.CallContext(t.Context(), &balance, "eth_getBalance", ethtest.User, "pending"))
		require.JSONEq(t, string(balance), string(got.Result))
	}

	// The list of what can be read is not the only guard.
	var coded rpc.Error
	_, err := newHarness(t).positionAPI().call(t.Context(), "debug_getRawHeader", json.RawMessage(`["latest"]`))
	require.ErrorAs(t, err, &coded)
	require.Equal(t, ethtest.CodeNotFound, coded.ErrorCode())
}

// readQuestions has for every readable method a question whose answer the next transactions change: one that
// writes to the probe, and one that creates a contract which reads a slot.
func readQuestions(write, create *types.Transaction) []question {
	created := crypto.CreateAddress(ethtest.Sender, create.Nonce())
	return []question{
		{"call", "eth_call", []any{object{"to": ethtest.Probe}, "pending"}},
		{"access list", "eth_createAccessList", []any{object{"to": created, "from": ethtest.Sender}, "pending"}},
		{"estimate", "eth_estimateGas", []any{object{"to": created, "from": ethtest.Sender}, "pending"}},
		{"fees", "eth_feeHistory", []any{"0x2", "pending", []float64{50}}},
		{"balance", "eth_getBalance", []any{ethtest.Sender, "pending"}},
		{"block", "eth_getBlockByNumber", []any{"pending", true}},
		{"receipts", "eth_getBlockReceipts", []any{"pending"}},
		{"count", "eth_getBlockTransactionCountByNumber", []any{"pending"}},
		{"code", "eth_getCode", []any{created, "pending"}},
		{"header", "eth_getHeaderByNumber", []any{"pending"}},
		{"raw by index", "eth_getRawTransactionByBlockNumberAndIndex", []any{"pending", "0x3"}},
		{"raw by hash", "eth_getRawTransactionByHash", []any{write.Hash()}},
		{"slot", "eth_getStorageAt", []any{ethtest.Probe, "0x1", "pending"}},
		{"slots", "eth_getStorageValues", []any{map[common.Address][]common.Hash{ethtest.Probe: {{31: 1}}}, "pending"}},
		{"by index", "eth_getTransactionByBlockNumberAndIndex", []any{"pending", "0x3"}},
		{"by hash", "eth_getTransactionByHash", []any{write.Hash()}},
		{"nonce", "eth_getTransactionCount", []any{ethtest.Sender, "pending"}},
		{"receipt", "eth_getTransactionReceipt", []any{write.Hash()}},
		{"logs", "eth_getLogs", []any{object{"fromBlock": "pending", "toBlock": "pending"}}},
		{"logs from the start", "eth_getLogs", []any{object{"fromBlock": "0x0", "toBlock": "pending"}}},
		{"simulation", "eth_simulateV1", []any{simulation(2), "pending"}},
	}
}

// A read answers at the position that it returns, whatever arrives between the choice of the position and
// the call: a flashblock, or the block itself. If the chain leaves the position, the read fails.
func TestReadIsAtItsPosition(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	genesis := h.Follower.Eth.BlockChain().CurrentBlock()
	h.Begin()
	h.Flashblock(h.Poke())
	h.Settle(h.Seal())
	h.Begin()
	early := h.Poke()
	h.Flashblock(early, h.Poke())

	api := h.positionAPI()
	write := h.Poke()
	create := h.Tx(ethtest.SenderKey, nil, common.FromHex("6360005450600052"+"6004601cf3")) // runs 0x60005450
	questions := readQuestions(write, create)
	unasked := make(map[string]struct{}, len(readable))
	for method := range readable {
		unasked[method] = struct{}{}
	}
	for _, q := range questions {
		delete(unasked, q.method)
	}
	require.Empty(t, unasked)
	still := question{"in the position", "eth_getTransactionReceipt", []any{early.Hash()}}

	read := func(ctx context.Context, q question) (*ReadResult, error) {
		params, err := json.Marshal(q.params)
		require.NoError(t, err)
		return api.Read(ctx, ReadRequest{Method: q.method, Params: params})
	}
	held, v := h.backend.pin(t.Context())
	want := make(map[string]string)
	for _, q := range append(questions, still) {
		got, err := read(held, q)
		require.NoError(t, err, q.name)
		want[q.name] = string(got.Result)
	}
	requireHeld := func(when string) {
		t.Helper()
		for _, q := range append(questions, still) {
			got, err := read(held, q)
			require.NoError(t, err, "%s, %s", q.name, when)
			require.Equal(t, v.position(), got.Position, "%s, %s", q.name, when)
			require.JSONEq(t, want[q.name], string(got.Result), "%s, %s", q.name, when)
		}
	}

	h.Flashblock(write, create)
	for _, q := range questions {
		now, err := read(t.Context(), q)
		require.NoError(t, err, q.name)
		require.NotEqual(t, want[q.name], string(now.Result), "%s cannot tell the positions apart", q.name)
		require.NotEqual(t, v.position(), now.Position, q.name)
	}
	requireHeld("after a flashblock")
	h.Settle(h.Seal())
	requireHeld("after the block")

	h.Build(genesis, 1)
	h.Settle(h.Seal())
	for _, q := range questions {
		_, err := read(held, q)
		require.ErrorIs(t, err, errMoving, q.name)
	}
}
