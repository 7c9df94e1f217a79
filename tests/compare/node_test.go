// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	_ "github.com/ethereum/go-ethereum/eth/tracers/native" // callTracer
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/rpc"
)

// patience bounds the wait for anything that takes milliseconds on an idle machine.
const patience = 3 * time.Minute

// ethNode is an op-geth in this process and in memory, with or without what a test registers on it.
type ethNode struct {
	t      testing.TB
	name   string
	config ethconfig.Config
	stack  *node.Node
	eth    *gethEth.Ethereum
	client *rpc.Client
}

// newNode makes a node on a genesis. It is not started.
func newNode(t testing.TB, name string, genesis *core.Genesis) *ethNode {
	t.Helper()
	stack, err := node.New(&node.Config{
		Name:     name,
		HTTPHost: "127.0.0.1", // for GraphQL
		P2P:      p2p.Config{NoDiscovery: true, NoDial: true},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := stack.Close(); err != nil {
			t.Errorf("close the node %s: %v", name, err)
		}
	})
	cfg := ethconfig.Defaults
	cfg.Genesis = genesis
	cfg.NetworkId = genesis.Config.ChainID.Uint64()
	cfg.SyncMode = ethconfig.FullSync
	cfg.TrieCleanCache, cfg.TrieDirtyCache, cfg.SnapshotCache = 16, 16, 0
	cfg.TxPool.Journal = ""
	cfg.TxPool.PriceLimit = 1
	cfg.TxPool.AccountSlots, cfg.TxPool.AccountQueue = 1<<12, 1<<12
	cfg.LogNoHistory = true
	ethereum, err := gethEth.New(stack, &cfg)
	require.NoError(t, err)
	require.NoError(t, ethereum.TxPool().Sync()) // it hears of no block before it listens
	return &ethNode{t: t, name: name, config: cfg, stack: stack, eth: ethereum}
}

// start starts the node and connects to it.
func (n *ethNode) start() {
	n.t.Helper()
	require.NoError(n.t, n.stack.Start())
	n.client = n.stack.Attach()
	n.t.Cleanup(n.client.Close)
	n.eth.SetSynced()
}

// insert imports a payload and makes it the head, as a consensus client does.
func (n *ethNode) insert(env *engine.ExecutionPayloadEnvelope) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var status engine.PayloadStatusV1
	require.NoError(n.t, n.client.CallContext(ctx, &status, "engine_newPayloadV4", env.ExecutionPayload, []common.Hash{}, env.ParentBeaconBlockRoot, []string{}))
	require.Equal(n.t, engine.VALID, status.Status, "%s, block %d: %v", n.name, env.ExecutionPayload.Number, status.ValidationError)
	var res engine.ForkChoiceResponse
	state := engine.ForkchoiceStateV1{HeadBlockHash: env.ExecutionPayload.BlockHash}
	require.NoError(n.t, n.client.CallContext(ctx, &res, "engine_forkchoiceUpdatedV3", state, nil))
	require.Equal(n.t, engine.VALID, res.PayloadStatus.Status)
}

// overTheWire is a payload as the other side of the Engine API decodes it.
func overTheWire(t testing.TB, env *engine.ExecutionPayloadEnvelope, beaconRoot *common.Hash) *engine.ExecutionPayloadEnvelope {
	t.Helper()
	raw, err := json.Marshal(env)
	require.NoError(t, err)
	out := new(engine.ExecutionPayloadEnvelope)
	require.NoError(t, json.Unmarshal(raw, out))
	out.ParentBeaconBlockRoot = beaconRoot
	return out
}

// answer is what a call came to.
type answer struct {
	result string // JSON
	failed string // code, message and data of an error
}

// newAnswer tells what a call came to.
func newAnswer(raw json.RawMessage, err error) answer {
	if err == nil {
		return answer{result: string(raw)}
	}
	told := struct {
		Message string
		Code    int
		Data    any
	}{Message: err.Error()}
	var coded rpc.Error
	if errors.As(err, &coded) {
		told.Code = coded.ErrorCode()
	}
	var detailed rpc.DataError
	if errors.As(err, &detailed) {
		told.Data = detailed.ErrorData()
	}
	text, err := json.Marshal(told)
	if err != nil {
		return answer{failed: told.Message}
	}
	return answer{failed: string(text)}
}

// position is what flashblocks_getPosition answers.
type position struct {
	BlockNumber rpc.BlockNumber
	Index       rpc.BlockNumber
	ID          engine.PayloadID
	ParentHash  common.Hash
	Incomplete  bool
}

// chained tells whether the position's block had a pending parent when the head was at a number.
func (p *position) chained(head hexutil.Uint64) bool { return uint64(p.BlockNumber) > uint64(head)+1 }

// ask makes the calls as one batch, between two looks at the position. There is no recording if pending is
// latest or has moved meanwhile.
func ask(ctx context.Context, client *rpc.Client, questions []question) (*recording, error) {
	var (
		before, after *position
		head          hexutil.Uint64
		batch         = make([]rpc.BatchElem, 0, len(questions)+3)
		raw           = make([]json.RawMessage, len(questions))
	)
	batch = append(batch,
		rpc.BatchElem{Method: "eth_blockNumber", Result: &head},
		rpc.BatchElem{Method: "flashblocks_getPosition", Result: &before},
	)
	for i, q := range questions {
		args := q.about("pending")
		if q.kind == ofFilter {
			var id string
			if err := client.CallContext(ctx, &id, "eth_newFilter", args...); err != nil {
				return nil, err
			}
			args = []any{id}
			defer func() { _ = client.CallContext(ctx, nil, "eth_uninstallFilter", id) }()
		}
		batch = append(batch, rpc.BatchElem{Method: q.method, Args: args, Result: &raw[i]})
	}
	batch = append(batch, rpc.BatchElem{Method: "flashblocks_getPosition", Result: &after})
	if err := client.BatchCallContext(ctx, batch); err != nil {
		return nil, err
	}
	if err := errors.Join(batch[0].Error, batch[1].Error, batch[len(batch)-1].Error); err != nil {
		return nil, err
	}
	if before == nil || after == nil || before.ID != after.ID || before.Index != after.Index {
		return nil, nil
	}
	r := &recording{at: *before, chained: before.chained(head), questions: questions}
	for i := range questions {
		r.answers = append(r.answers, newAnswer(raw[i], batch[i+2].Error))
	}
	return r, nil
}
