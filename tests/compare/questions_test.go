// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/program"
)

// object is a JSON object.
type object map[string]any

// about is where a question is asked about a block.
const about = "BLOCK"

// question is a method with its parameters, in which about stands for the block.
type question struct {
	name   string
	method string
	params []any
	kind   kind
}

// kind says how the canonical answer is found.
type kind int

const (
	ofBlock  kind = iota // the same question about the block or its first transactions
	ofHash               // the same question, which names no block
	ofLogs               // a question about a range that ends in the block
	ofFilter             // the logs of a filter with such a range, which the parameters describe
	ofNonce              // as ofBlock, on a node whose pool is empty
)

// about fills in the block.
func (q question) about(block any) []any {
	out := make([]any, len(q.params))
	for i, p := range q.params {
		out[i] = p
		switch p := p.(type) {
		case string:
			if p == about {
				out[i] = block
			}
		case object:
			cpy := make(object, len(p))
			for k, v := range p {
				if cpy[k] = v; v == about {
					cpy[k] = block
				}
			}
			out[i] = cpy
		}
	}
	return out
}

// key identifies a question with its parameters.
func (q question) key(t testing.TB) string {
	t.Helper()
	raw, err := json.Marshal(q.params)
	require.NoError(t, err)
	return q.method + string(raw)
}

// world is what there is to ask about on a chain.
type world struct {
	idle    []common.Address // accounts that do not send, so that no pool has a say in their nonce
	busy    []common.Address // accounts that send
	codes   []common.Address
	slots   map[common.Address][]common.Hash
	reads   []object // calls that change nothing
	writes  []object
	failing []object // calls that revert
	logger  common.Address
}

// probe is a creation that returns what the EVM says of its surroundings: number, time, base fee,
// randomness, coinbase, gas limit, own balance, and the hashes of the two blocks before.
func probe() string {
	p := program.New()
	for i, op := range []vm.OpCode{vm.NUMBER, vm.TIMESTAMP, vm.BASEFEE, vm.PREVRANDAO, vm.COINBASE, vm.GASLIMIT, vm.CHAINID, vm.BLOBBASEFEE} {
		p.Op(op).Push(32 * i).Op(vm.MSTORE)
	}
	for i := range 2 {
		p.Push(i+1).Op(vm.NUMBER, vm.SUB, vm.BLOCKHASH).Push(32 * (8 + i)).Op(vm.MSTORE)
	}
	return hexutil.Encode(p.Return(0, 32*10).Bytes())
}

// questions asks about everything there is, and about two transactions of the pending block.
func (w *world) questions(txs []common.Hash) []question {
	qs := append(w.stateQuestions(), w.callQuestions()...)
	qs = append(qs, w.blockQuestions()...)
	for i, tx := range txs {
		qs = append(qs,
			question{fmt.Sprintf("transaction %d", i), "eth_getTransactionByHash", []any{tx}, ofHash},
			question{fmt.Sprintf("raw transaction %d", i), "eth_getRawTransactionByHash", []any{tx}, ofHash},
			question{fmt.Sprintf("receipt %d", i), "eth_getTransactionReceipt", []any{tx}, ofHash},
		)
	}
	return qs
}

// stateQuestions read the state.
func (w *world) stateQuestions() []question {
	var qs []question
	for i, addr := range w.idle {
		qs = append(qs,
			question{fmt.Sprintf("balance of idle %d", i), "eth_getBalance", []any{addr, about}, ofBlock},
			question{fmt.Sprintf("nonce of idle %d", i), "eth_getTransactionCount", []any{addr, about}, ofBlock},
		)
	}
	for i, addr := range w.busy {
		qs = append(qs,
			question{fmt.Sprintf("balance of busy %d", i), "eth_getBalance", []any{addr, about}, ofBlock},
			question{fmt.Sprintf("nonce of busy %d", i), "eth_getTransactionCount", []any{addr, about}, ofNonce},
		)
	}
	for i, addr := range w.codes {
		qs = append(qs, question{fmt.Sprintf("code %d", i), "eth_getCode", []any{addr, about}, ofBlock})
	}
	for addr, slots := range w.slots {
		qs = append(qs, question{"slots of " + addr.Hex(), "eth_getStorageValues", []any{map[common.Address][]common.Hash{addr: slots}, about}, ofBlock})
		qs = append(qs, question{"slot of " + addr.Hex(), "eth_getStorageAt", []any{addr, slots[0], about}, ofBlock})
	}
	return qs
}

// callQuestions execute on the state.
func (w *world) callQuestions() []question {
	surroundings := object{"from": w.idle[0], "data": probe()}
	qs := []question{
		{"surroundings", "eth_call", []any{surroundings, about}, ofBlock},
		{"surroundings, traced", "debug_traceCall", []any{surroundings, about, object{"tracer": "callTracer"}}, ofBlock},
		{"surroundings, changed", "eth_call", []any{surroundings, about, object{}, object{"time": "0x77777777", "number": "0x123456"}}, ofBlock},
	}
	for i, read := range w.reads {
		qs = append(qs, question{fmt.Sprintf("call %d", i), "eth_call", []any{read, about}, ofBlock})
	}
	overrides := make(map[common.Address]object)
	for addr, slots := range w.slots {
		overrides[addr] = object{"stateDiff": map[common.Hash]common.Hash{slots[0]: {31: 9}}}
	}
	for i, write := range w.writes {
		qs = append(qs,
			question{fmt.Sprintf("write %d", i), "eth_call", []any{write, about}, ofBlock},
			question{fmt.Sprintf("write %d on merged slots", i), "eth_call", []any{write, about, overrides}, ofBlock},
			question{fmt.Sprintf("estimate %d", i), "eth_estimateGas", []any{write, about}, ofBlock},
			question{fmt.Sprintf("access list %d", i), "eth_createAccessList", []any{write, about}, ofBlock},
			question{fmt.Sprintf("trace %d", i), "debug_traceCall", []any{write, about, object{"tracer": "callTracer"}}, ofBlock},
			question{fmt.Sprintf("differences %d", i), "debug_traceCall", []any{write, about, object{"tracer": "prestateTracer", "tracerConfig": object{"diffMode": true}}}, ofBlock},
		)
	}
	for i, call := range w.failing {
		qs = append(qs,
			question{fmt.Sprintf("%s call %d", failing, i), "eth_call", []any{call, about}, ofBlock},
			question{fmt.Sprintf("%s estimate %d", failing, i), "eth_estimateGas", []any{call, about}, ofBlock},
			question{fmt.Sprintf("%s trace %d", failing, i), "debug_traceCall", []any{call, about, object{"tracer": "callTracer"}}, ofBlock},
		)
	}
	calls := object{"calls": slices.Concat(w.writes, w.reads, w.failing)}
	simulation := object{"blockStateCalls": []object{calls, calls}, "traceTransfers": true, "returnFullTransactions": true}
	return append(qs, question{"simulation", "eth_simulateV1", []any{simulation, about}, ofBlock})
}

// blockQuestions are about the block, its transactions, receipts and logs.
func (w *world) blockQuestions() []question {
	return []question{
		{"block", "eth_getBlockByNumber", []any{about, false}, ofBlock},
		{"full block", "eth_getBlockByNumber", []any{about, true}, ofBlock},
		{"header", "eth_getHeaderByNumber", []any{about}, ofBlock},
		{"receipts", "eth_getBlockReceipts", []any{about}, ofBlock},
		{"count", "eth_getBlockTransactionCountByNumber", []any{about}, ofBlock},
		{"first by index", "eth_getTransactionByBlockNumberAndIndex", []any{about, "0x0"}, ofBlock},
		{"third by index", "eth_getTransactionByBlockNumberAndIndex", []any{about, "0x2"}, ofBlock},
		{beyond, "eth_getTransactionByBlockNumberAndIndex", []any{about, "0xffff"}, ofBlock},
		{"raw by index", "eth_getRawTransactionByBlockNumberAndIndex", []any{about, "0x1"}, ofBlock},
		{"fee history", "eth_feeHistory", []any{"0x3", about, []float64{10, 50, 90}}, ofBlock},
		{"fee history without rewards", "eth_feeHistory", []any{"0x10", about, []float64{}}, ofBlock},
		{"raw receipts", "debug_getRawReceipts", []any{about}, ofBlock},
		{"trace", "debug_traceBlockByNumber", []any{about, object{"tracer": "callTracer"}}, ofBlock},
		{"logs", "eth_getLogs", []any{object{"fromBlock": about, "toBlock": about}}, ofLogs},
		{"logs from the start", "eth_getLogs", []any{object{"fromBlock": "0x0", "toBlock": about, "address": w.logger}}, ofLogs},
		{"filter", "eth_getFilterLogs", []any{object{"fromBlock": about, "toBlock": about}}, ofFilter},
		{"filter from the start", "eth_getFilterLogs", []any{object{"fromBlock": "0x0", "toBlock": about, "address": w.logger}}, ofFilter},
		{"logs of nobody", "eth_getLogs", []any{object{"fromBlock": "0x0", "toBlock": about, "topics": []common.Hash{{0xee}}}}, ofLogs},
	}
}

// Questions without an answer: about a transaction that there is not, and calls that revert.
const (
	beyond  = "none by index"
	failing = "failing"
)

// unknowable are the members of an object that depend on the hash or a root of a block that is not sealed.
// Whatever names a parent is a block or a header.
var unknowable = []string{"hash", "stateRoot", "withdrawalsRoot"}

// normalize removes from an answer what cannot be known before a block is sealed.
func normalize(t testing.TB, q question, raw string) string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(raw), &v), raw)
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, block := v["parentHash"]; block {
				for _, member := range unknowable {
					delete(v, member)
				}
				if q.method == "eth_simulateV1" {
					delete(v, "parentHash") // the pending block itself
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
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

// firstLogs leaves of an answer to eth_getLogs what lies before a transaction of a block.
func firstLogs(t testing.TB, raw string, number uint64, n int) string {
	t.Helper()
	var logs []*types.Log
	require.NoError(t, json.Unmarshal([]byte(raw), &logs))
	kept := make([]*types.Log, 0, len(logs))
	for _, l := range logs {
		if l.BlockNumber < number || int(l.TxIndex) < n {
			kept = append(kept, l)
		}
	}
	out, err := json.Marshal(kept)
	require.NoError(t, err)
	return string(out)
}
