// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// Whatever does not ask for pending is answered byte by byte as op-geth answers it, errors too, while a
// block is pending.
func TestNotPendingIsStock(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var hash common.Hash
	var mined common.Hash
	for range 3 {
		h.Begin()
		tx := h.Poke()
		h.Flashblock(tx, h.Poke())
		env := h.Seal()
		h.Settle(env)
		hash, mined = env.ExecutionPayload.BlockHash, tx.Hash()
	}
	h.Begin()
	h.Flashblock(h.Poke())
	require.NotNil(t, h.Processor.Snapshot())

	blocks := []any{"latest", "safe", "finalized", "earliest", "0x0", "0x2", "0x7777", "nonsense", -1, nil}
	for _, block := range blocks {
		for _, q := range append(stateQuestions(), blockQuestions()...) {
			h.requireStock(t, q.method, q.about(block)...)
		}
		h.requireStock(t, "eth_simulateV1", simulation(1), block)
		h.requireStock(t, "eth_getProof", ethtest.Sender, []string{"0x1"}, block)
	}
	for _, byHash := range []any{hash, object{"blockHash": hash}, object{"blockHash": hash, "requireCanonical": true}, common.Hash{1}} {
		for _, q := range stateQuestions() {
			h.requireStock(t, q.method, q.about(byHash)...)
		}
		h.requireStock(t, "eth_getBlockReceipts", byHash)
		h.requireStock(t, "eth_getProof", ethtest.Sender, []string{}, byHash)
		h.requireStock(t, "debug_getRawReceipts", byHash)
		h.requireStock(t, "debug_getRawHeader", byHash)
		h.requireStock(t, "debug_getRawBlock", byHash)
	}
	for _, tx := range []any{mined, common.Hash{1}, "nonsense", nil} {
		for _, method := range []string{"eth_getTransactionByHash", "eth_getRawTransactionByHash", "eth_getTransactionReceipt", "debug_traceTransaction"} {
			h.requireStock(t, method, tx)
		}
	}
	for _, params := range [][]any{{}, {1}, {nil}, {object{}}, {object{"blockStateCalls": 5}}, {"x", "latest"}, {simulation(2)}, {object{}, "latest", 3}} {
		h.requireStock(t, "eth_simulateV1", params...)
		h.requireStock(t, "eth_call", params...)
		h.requireStock(t, "eth_estimateGas", params...)
		h.requireStock(t, "eth_createAccessList", params...)
	}
	for _, crit := range []any{
		object{},
		object{"blockHash": hash},
		object{"blockHash": hash, "fromBlock": "0x0"},
		object{"fromBlock": "0x3", "toBlock": "0x1"},
		object{"fromBlock": "0x0", "toBlock": "0x77"},
		object{"topics": []any{nil, nil, nil, nil, nil}},
		object{"fromBlock": "0x1", "address": ethtest.Probe},
	} {
		h.requireStock(t, "eth_getLogs", crit)
	}
	for _, method := range []string{"eth_blockNumber", "eth_chainId", "eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_syncing", "eth_accounts", "txpool_status"} {
		h.requireStock(t, method)
	}
}

// simulation is a request of n blocks that write, without anything that depends on the clock.
func simulation(n int) object {
	var blocks []object
	for range n {
		blocks = append(blocks, object{"calls": []object{
			{"to": ethtest.Probe, "from": ethtest.Sender, "data": "0x01"}, {"to": ethtest.Probe, "from": ethtest.Sender},
		}})
	}
	return object{"blockStateCalls": blocks}
}

func (h *harness) requireStock(t *testing.T, method string, params ...any) {
	t.Helper()
	encoded, err := json.Marshal(params)
	require.NoError(t, err)
	require.Equal(t, h.Stock.Call(method, params...), h.Follower.Call(method, params...), "%s %s", method, encoded)
}

// Without a snapshot pending is what it is to op-geth, and never null.
func TestPendingFallsBackToLatest(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke(), h.Poke())
	h.Settle(h.Seal())
	require.Nil(t, h.Processor.Snapshot())

	latest := h.answers("latest")
	for _, q := range append(stateQuestions(), blockQuestions()...) {
		switch q.method {
		case "eth_getTransactionCount": // the pool's
		case "eth_getLogs", "debug_traceCall": // refused by op-geth
			require.Equal(t, latest[q.name], h.Follower.Call(q.method, q.about("pending")...), q.name)
		default:
			h.requireStock(t, q.method, q.about("pending")...)
			require.Equal(t, latest[q.name], h.Follower.Call(q.method, q.about("pending")...), q.name)
		}
	}
	require.Equal(t, h.Stock.Call("eth_getProof", ethtest.Sender, []string{}, "latest"), h.Follower.Call("eth_getProof", ethtest.Sender, []string{}, "pending"))
	require.Equal(t, latest["nonce"], h.Follower.Call("eth_getTransactionCount", ethtest.Sender, "pending"))
}

// The pending services are served whatever was registered before, and stay so.
func TestPendingRegistrationOrder(t *testing.T) {
	t.Parallel()
	h := newHarness(t) // registers the stock services first
	h.Begin()
	var number string
	var header struct{ Number string }
	h.Ask(&header, "eth_getHeaderByNumber", "pending")
	require.Equal(t, "0x1", header.Number)
	h.Ask(&number, "eth_blockNumber")
	require.Equal(t, "0x0", number)
	var caps []string
	h.Ask(&caps, "op_supportedCapabilities")
	require.Equal(t, []string{"flashblocksv1"}, caps)

	names := make([]string, 0, 16)
	for _, api := range services(h.backend, filters.NewFilterSystem(h.backend, filters.Config{}), &ethconfig.Defaults) {
		names = append(names, api.Namespace)
	}
	require.Equal(t, []string{"eth", "eth", "eth", "txpool", "debug", "eth", "debug", "eth", "eth", "debug", "op"}, names, "our services come after the stock ones")
}
