// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package ethtest

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"math"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// published collects what the builder publishes.
type published chan *flashblocks.Flashblock

// Publish implements miner.Publisher.
func (p published) Publish(m stream.Message) {
	if m.V1 == nil {
		return
	}
	fb, _, err := flashblocks.Decode(m.V1, flashblocks.Limits{})
	if err != nil {
		panic(err) // in the builder's goroutine, where a test cannot be failed
	}
	p <- fb
}

// Patience is how long a test waits for something that must happen. It decides nothing else.
const Patience = 30 * time.Second

const tick = 100 * time.Microsecond // between two looks at a condition that a test waits for

// Source counts how often somebody asks for what is pending.
type Source struct {
	*overlay.Processor
	Asked atomic.Int64
}

// Snapshot returns the newest snapshot.
func (s *Source) Snapshot() *overlay.Snapshot {
	s.Asked.Add(1)
	return s.Processor.Snapshot()
}

// Network is a sequencer with a real builder on a clock that the test moves, and a follower whose pending
// state comes from the flashblocks that the test passes on.
type Network struct {
	Sequencer *Node
	Follower  *Node
	Stock     *Node // follows the canonical chain with op-geth's services
	Stream    <-chan *flashblocks.Flashblock
	Processor *overlay.Processor // of the follower
	Source    *Source            // the follower's pending state, for what serves it
	ID        engine.PayloadID   // of the block under construction

	t       testing.TB
	builder *miner.Builder
	clock   *mclock.Simulated
	nonces  map[*ecdsa.PrivateKey]uint64
}

// NewNetwork starts everything. serve registers what serves the pending state, behind op-geth's own services and
// under the limits of the configuration.
func NewNetwork(t testing.TB, serve func(n *Node, cfg *ethconfig.Config, source *Source)) *Network {
	t.Helper()
	stream := make(published, 1024)
	h := &Network{t: t, clock: new(mclock.Simulated), Stream: stream, nonces: make(map[*ecdsa.PrivateKey]uint64)}
	h.Sequencer = NewNode(t, Jovian, networkGenesis())
	h.Sequencer.RegisterEngine()
	h.Sequencer.Start()
	cfg := miner.Config{Flashblocks: params.DefaultFlashblocks, GasCeil: 30_000_000, Clock: h.clock}
	cfg.Enabled = true
	cfg.Now = func() time.Time {
		return time.Unix(int64(h.Sequencer.Eth.BlockChain().CurrentBlock().Time), 0)
	}
	builder, err := miner.New(h.Sequencer.Eth, cfg, stream)
	require.NoError(t, err)
	h.builder = builder
	require.NoError(t, builder.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, builder.Stop()) })

	h.Follower = NewNode(t, Jovian, networkGenesis())
	h.Follower.registerStock()
	h.Processor, err = overlay.New(overlay.Config{Chain: h.Follower.Eth.BlockChain(), StaleAfter: time.Hour})
	require.NoError(t, err)
	h.Source = &Source{Processor: h.Processor}
	node := ethconfig.Defaults
	node.TxSyncDefaultTimeout, node.TxSyncMaxTimeout = 20*time.Second, time.Minute
	serve(h.Follower, &node, h.Source)
	require.NoError(t, h.Processor.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, h.Processor.Stop()) })
	h.Follower.Start()

	h.Stock = NewNode(t, Jovian, networkGenesis())
	h.Stock.registerStock()
	h.Stock.Start()
	return h
}

// Begin starts the next block on the sequencer's head and passes index 0 on.
func (h *Network) Begin() *flashblocks.Flashblock {
	h.t.Helper()
	fb := h.Build(h.Sequencer.Eth.BlockChain().CurrentBlock(), 0)
	h.Deliver(fb)
	return fb
}

// Build starts a block on a parent and returns index 0. Different seeds make different attempts.
func (h *Network) Build(parent *types.Header, seed byte) *flashblocks.Flashblock {
	h.t.Helper()
	l1 := new(types.Transaction)
	require.NoError(h.t, l1.UnmarshalBinary(feeInfo(parent.Number.Uint64())))
	limit := uint64(30_000_000)
	id, err := h.builder.BuildPayload(&gethminer.BuildPayloadArgs{
		Parent: parent.Hash(), Timestamp: parent.Time + BlockTime, FeeRecipient: testchain.FeeVault,
		Random: common.Hash{7, seed}, BeaconRoot: &common.Hash{9}, Withdrawals: types.Withdrawals{}, Version: engine.PayloadV3,
		Transactions: types.Transactions{l1}, GasLimit: &limit, EIP1559Params: make([]byte, 8), MinBaseFee: new(uint64),
	}, miner.Options{})
	require.NoError(h.t, err)
	h.ID = id
	return h.receive()
}

// Refuse makes the builder's least tip more than any transaction pays, from the next payload on.
func (h *Network) Refuse() { h.builder.SetGasTip(big.NewInt(math.MaxInt64)) }

// Next moves the clock until a flashblock is published.
func (h *Network) Next() *flashblocks.Flashblock {
	h.t.Helper()
	var fb *flashblocks.Flashblock
	require.Eventually(h.t, func() bool {
		select {
		case fb = <-h.Stream:
			return true
		default:
		}
		if h.clock.ActiveTimers() > 0 {
			h.clock.Run(20 * time.Millisecond)
		}
		return false
	}, Patience, tick, "the next flashblock")
	return fb
}

func (h *Network) receive() *flashblocks.Flashblock {
	h.t.Helper()
	select {
	case fb := <-h.Stream:
		return fb
	case <-time.After(Patience):
		h.t.Fatal("no flashblock")
		return nil
	}
}

// Deliver passes a flashblock on to the follower and waits until its snapshot is published.
func (h *Network) Deliver(fb *flashblocks.Flashblock) {
	h.t.Helper()
	require.True(h.t, h.Processor.Deliver(h.t.Context(), fb, time.Now()))
	require.Eventually(h.t, func() bool {
		s := h.Processor.Snapshot()
		return s != nil && s.PayloadID == fb.PayloadID && s.Index >= fb.Index
	}, Patience, tick, "snapshot of flashblock %d", fb.Index)
}

// Flashblock sends transactions to the sequencer and passes flashblocks on until all of them are in one.
func (h *Network) Flashblock(txs ...*types.Transaction) {
	h.t.Helper()
	waiting := h.Submit(txs...)
	for {
		fb := h.Next()
		h.Deliver(fb)
		for _, raw := range fb.Diff.Transactions {
			delete(waiting, crypto.Keccak256Hash(raw))
		}
		if len(waiting) == 0 {
			return
		}
	}
}

// Submit adds transactions to the sequencer's pool.
func (h *Network) Submit(txs ...*types.Transaction) map[common.Hash]struct{} {
	h.t.Helper()
	waiting := make(map[common.Hash]struct{})
	for i, err := range h.Sequencer.Eth.TxPool().Add(txs, true) {
		require.NoError(h.t, err)
		waiting[txs[i].Hash()] = struct{}{}
	}
	return waiting
}

// Tx signs a transaction with the key's next nonce.
func (h *Network) Tx(key *ecdsa.PrivateKey, to *common.Address, data []byte) *types.Transaction {
	h.t.Helper()
	config := h.Sequencer.Eth.BlockChain().Config()
	nonce := h.nonces[key]
	h.nonces[key]++
	tx, err := types.SignNewTx(key, types.LatestSigner(config), &types.DynamicFeeTx{
		ChainID: config.ChainID, Nonce: nonce, Gas: 300_000, To: to, Value: new(big.Int), Data: data,
		GasTipCap: big.NewInt(gethparams.GWei), GasFeeCap: big.NewInt(100 * gethparams.GWei),
	})
	require.NoError(h.t, err)
	return tx
}

// Poke calls the probe so that it writes.
func (h *Network) Poke() *types.Transaction { return h.Tx(SenderKey, &Probe, []byte{1}) }

// Seal fetches the block under construction and makes it the sequencer's head.
func (h *Network) Seal() *engine.ExecutionPayloadEnvelope {
	h.t.Helper()
	env, err := h.builder.GetPayload(h.ID)
	require.NoError(h.t, err)
	raw, err := json.Marshal(env) // as it goes over the Engine API
	require.NoError(h.t, err)
	env = new(engine.ExecutionPayloadEnvelope)
	require.NoError(h.t, json.Unmarshal(raw, env))
	env.ParentBeaconBlockRoot = &common.Hash{9}
	h.Sequencer.Insert(env)
	h.builder.NewHead(env.ExecutionPayload.BlockHash)
	require.NoError(h.t, h.Sequencer.Eth.TxPool().Sync())
	return env
}

// Settle makes a sealed block the follower's head and waits until the overlay has seen it.
func (h *Network) Settle(env *engine.ExecutionPayloadEnvelope) {
	h.t.Helper()
	h.Follower.Insert(env)
	h.Stock.Insert(env)
	require.Eventually(h.t, func() bool {
		s := h.Processor.Snapshot()
		return s == nil || s.Number() > env.ExecutionPayload.Number && s.Anchor().Number.Uint64() >= env.ExecutionPayload.Number
	}, Patience, tick, "the overlay's view of the head")
}

// Ask makes a call at the follower that must succeed.
func (h *Network) Ask(out any, method string, args ...any) {
	h.t.Helper()
	h.Follower.Call(method, args...).Into(h.t, out)
}
