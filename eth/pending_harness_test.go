// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	_ "github.com/ethereum/go-ethereum/eth/tracers/native" // callTracer
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// probeAddr is a contract that, given data, stores block number and a count and logs the number; without
// data it returns number, timestamp, base fee, what is stored, and the hashes of the two blocks before.
var (
	probeAddr = common.HexToAddress("0xc0de00000000000000000000000000000000000a")
	probeCode = common.FromHex("36" + "603657" + // data: write
		"43600052" + "42602052" + "48604052" +
		"600054606052" + "600154608052" +
		"60014303" + "4060a052" + "60024303" + "4060c052" + "60e06000f3" +
		"fe" + "fe" + "fe" + "5b" +
		"43600055" + "6001546001016001" + "55" + "4360006000a100")
	sender    = crypto.PubkeyToAddress(senderKey.PublicKey)
	senderKey = mustKey("8a1f9a8f95be41cd7ccb6168179afb4504aefe388d1e14474d32c45c72ce7b7a")
)

func pendingGenesis() *core.Genesis {
	genesis := jovian.genesis()
	// The read half is padded so that the jump lands on the destination, whatever its length.
	code := append([]byte{}, probeCode...)
	for i, b := range code {
		if b == 0x5b && i > 3 && code[i-1] == 0xfe {
			code[2] = byte(i)
		}
	}
	genesis.Alloc[probeAddr] = types.Account{Code: code, Balance: new(big.Int)}
	genesis.Alloc[sender] = types.Account{Balance: new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(gethparams.Ether))}
	genesis.Alloc[types.L1BlockAddr] = types.Account{Balance: new(big.Int), Nonce: 1, Storage: map[common.Hash]common.Hash{
		types.L1BaseFeeSlot:         common.BigToHash(big.NewInt(1e9)),
		types.L1BlobBaseFeeSlot:     common.BigToHash(big.NewInt(1e6)),
		types.L1FeeScalarsSlot:      common.HexToHash("0x000000000000000000000000000005f00000000a000000000000000000000000"),
		types.OperatorFeeParamsSlot: common.HexToHash("0x000000000000000000000000000000000000000000000064000000000000000a"),
	}}
	genesis.Alloc[gethparams.BeaconRootsAddress] = types.Account{Nonce: 1, Code: gethparams.BeaconRootsCode, Balance: new(big.Int)}
	genesis.Alloc[gethparams.HistoryStorageAddress] = types.Account{Nonce: 1, Code: gethparams.HistoryStorageCode, Balance: new(big.Int)}
	return genesis
}

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

const (
	waitLong = 20 * time.Second       // a condition that a test waits for; nothing takes that long
	tick     = 100 * time.Microsecond // between two looks at it
)

// countedSnapshots counts how often somebody asks for what is pending.
type countedSnapshots struct {
	snapshots
	asked atomic.Int64
}

// Snapshot implements snapshots.
func (c *countedSnapshots) Snapshot() *overlay.Snapshot {
	c.asked.Add(1)
	return c.snapshots.Snapshot()
}

// pendingHarness is a sequencer with a real builder on a clock that the test moves, and a follower whose
// pending state comes from the flashblocks that the test passes on.
type pendingHarness struct {
	t         testing.TB
	sequencer *testNode
	builder   *miner.Builder
	clock     *mclock.Simulated
	stream    published
	follower  *testNode
	stock     *testNode // follows the canonical chain with op-geth's services
	processor *overlay.Processor
	source    *countedSnapshots
	backend   *Backend
	nonces    map[*ecdsa.PrivateKey]uint64
	id        engine.PayloadID
	events    *overlay.Subscription
}

func newPendingHarness(t testing.TB) *pendingHarness {
	t.Helper()
	h := &pendingHarness{
		t: t, clock: new(mclock.Simulated), stream: make(published, 1024),
		nonces: make(map[*ecdsa.PrivateKey]uint64),
	}
	h.sequencer = newUnstarted(t, jovian, pendingGenesis())
	stock(t, h.sequencer)
	h.sequencer.start()
	cfg := miner.Config{Flashblocks: params.DefaultFlashblocks, GasCeil: 30_000_000, Clock: h.clock}
	cfg.Enabled = true
	cfg.Now = func() time.Time {
		return time.Unix(int64(h.sequencer.eth.BlockChain().CurrentBlock().Time), 0)
	}
	builder, err := miner.New(h.sequencer.eth, cfg, h.stream)
	require.NoError(t, err)
	h.builder = builder
	require.NoError(t, builder.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, builder.Stop()) })

	h.follower = newUnstarted(t, jovian, pendingGenesis())
	require.NoError(t, catalyst.Register(h.follower.stack, h.follower.eth))
	stockServices(h.follower)
	h.processor, err = overlay.New(overlay.Config{Chain: h.follower.eth.BlockChain(), StaleAfter: time.Hour})
	require.NoError(t, err)
	h.source = &countedSnapshots{snapshots: h.processor}
	node := ethconfig.Defaults
	node.TxSyncDefaultTimeout, node.TxSyncMaxTimeout = 20*time.Second, time.Minute
	h.backend, err = RegisterPending(h.follower.stack, h.follower.eth, PendingConfig{Eth: &node, GraphQL: true}, h.source)
	require.NoError(t, err)
	require.NoError(t, h.processor.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, h.processor.Stop()) })
	h.follower.start()

	h.stock = newUnstarted(t, jovian, pendingGenesis())
	require.NoError(t, catalyst.Register(h.stock.stack, h.stock.eth))
	stockServices(h.stock)
	h.stock.start()
	h.events = h.processor.Subscribe()
	return h
}

// begin starts the next block on the sequencer's head and passes index 0 on.
func (h *pendingHarness) begin() *flashblocks.Flashblock {
	h.t.Helper()
	fb := h.build(h.sequencer.eth.BlockChain().CurrentBlock(), 0)
	h.deliver(fb)
	return fb
}

// build starts a block on a parent and returns index 0. Different seeds make different attempts.
func (h *pendingHarness) build(parent *types.Header, seed byte) *flashblocks.Flashblock {
	h.t.Helper()
	l1 := new(types.Transaction)
	require.NoError(h.t, l1.UnmarshalBinary(h.l1Info(parent.Number.Uint64())))
	limit := uint64(30_000_000)
	id, err := h.builder.BuildPayload(&gethminer.BuildPayloadArgs{
		Parent: parent.Hash(), Timestamp: parent.Time + blockTime, FeeRecipient: common.HexToAddress("0x4200000000000000000000000000000000000011"),
		Random: common.Hash{7, seed}, BeaconRoot: &common.Hash{9}, Withdrawals: types.Withdrawals{}, Version: engine.PayloadV3,
		Transactions: types.Transactions{l1}, GasLimit: &limit, EIP1559Params: make([]byte, 8), MinBaseFee: new(uint64),
	}, miner.Options{})
	require.NoError(h.t, err)
	h.id = id
	return h.receive()
}

// l1Info is an L1 attributes deposit whose fees are not zero.
func (h *pendingHarness) l1Info(number uint64) []byte {
	data := make([]byte, types.JovianL1AttributesLen)
	copy(data, types.JovianL1AttributesSelector)
	binary.BigEndian.PutUint32(data[4:], 10)      // base fee scalar
	binary.BigEndian.PutUint32(data[8:], 0x5f0)   // blob base fee scalar
	binary.BigEndian.PutUint64(data[20:], number) // makes it unique
	binary.BigEndian.PutUint64(data[60:], 1e9)    // base fee
	binary.BigEndian.PutUint64(data[92:], 1e6)    // blob base fee
	binary.BigEndian.PutUint32(data[164:], 10)    // operator fee scalar
	binary.BigEndian.PutUint64(data[168:], 100)   // operator fee constant
	binary.BigEndian.PutUint16(data[types.JovianL1AttributesLen-2:], 400)
	raw, err := types.NewTx(&types.DepositTx{
		SourceHash: common.BigToHash(new(big.Int).SetUint64(number + 1)), From: common.HexToAddress("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001"),
		To: &types.L1BlockAddr, Value: new(big.Int), Gas: 1_000_000, Data: data,
	}).MarshalBinary()
	require.NoError(h.t, err)
	return raw
}

// next moves the clock until a flashblock is published.
func (h *pendingHarness) next() *flashblocks.Flashblock {
	h.t.Helper()
	var fb *flashblocks.Flashblock
	require.Eventually(h.t, func() bool {
		select {
		case fb = <-h.stream:
			return true
		default:
		}
		if h.clock.ActiveTimers() > 0 {
			h.clock.Run(20 * time.Millisecond)
		}
		return false
	}, waitLong, tick, "the next flashblock")
	return fb
}

func (h *pendingHarness) receive() *flashblocks.Flashblock {
	h.t.Helper()
	select {
	case fb := <-h.stream:
		return fb
	case <-time.After(20 * time.Second):
		h.t.Fatal("no flashblock")
		return nil
	}
}

// deliver passes a flashblock on to the follower and waits until its snapshot is published.
func (h *pendingHarness) deliver(fb *flashblocks.Flashblock) {
	h.t.Helper()
	require.True(h.t, h.processor.Deliver(h.t.Context(), fb, time.Now()))
	require.Eventually(h.t, func() bool {
		s := h.processor.Snapshot()
		return s != nil && s.PayloadID == fb.PayloadID && s.Index >= fb.Index
	}, waitLong, tick, "snapshot of flashblock %d", fb.Index)
}

// flashblock sends transactions to the sequencer and passes flashblocks on until all of them are in one.
func (h *pendingHarness) flashblock(txs ...*types.Transaction) {
	h.t.Helper()
	waiting := h.submit(txs...)
	for {
		fb := h.next()
		h.deliver(fb)
		for _, raw := range fb.Diff.Transactions {
			delete(waiting, crypto.Keccak256Hash(raw))
		}
		if len(waiting) == 0 {
			return
		}
	}
}

// submit adds transactions to the sequencer's pool.
func (h *pendingHarness) submit(txs ...*types.Transaction) map[common.Hash]struct{} {
	h.t.Helper()
	waiting := make(map[common.Hash]struct{})
	for i, err := range h.sequencer.eth.TxPool().Add(txs, true) {
		require.NoError(h.t, err)
		waiting[txs[i].Hash()] = struct{}{}
	}
	return waiting
}

// tx signs a transaction with the key's next nonce.
func (h *pendingHarness) tx(key *ecdsa.PrivateKey, to *common.Address, data []byte) *types.Transaction {
	h.t.Helper()
	config := h.sequencer.eth.BlockChain().Config()
	nonce := h.nonces[key]
	h.nonces[key]++
	tx, err := types.SignNewTx(key, types.LatestSigner(config), &types.DynamicFeeTx{
		ChainID: config.ChainID, Nonce: nonce, Gas: 300_000, To: to, Value: new(big.Int), Data: data,
		GasTipCap: big.NewInt(gethparams.GWei), GasFeeCap: big.NewInt(100 * gethparams.GWei),
	})
	require.NoError(h.t, err)
	return tx
}

// poke calls the probe so that it writes.
func (h *pendingHarness) poke() *types.Transaction { return h.tx(senderKey, &probeAddr, []byte{1}) }

// seal fetches the block under construction and makes it the sequencer's head.
func (h *pendingHarness) seal() *engine.ExecutionPayloadEnvelope {
	h.t.Helper()
	env, err := h.builder.GetPayload(h.id)
	require.NoError(h.t, err)
	raw, err := json.Marshal(env) // as it goes over the Engine API
	require.NoError(h.t, err)
	env = new(engine.ExecutionPayloadEnvelope)
	require.NoError(h.t, json.Unmarshal(raw, env))
	env.ParentBeaconBlockRoot = &common.Hash{9}
	h.sequencer.insert(env)
	h.builder.NewHead(env.ExecutionPayload.BlockHash)
	require.NoError(h.t, h.sequencer.eth.TxPool().Sync())
	return env
}

// settle makes a sealed block the follower's head and waits until the overlay has seen it.
func (h *pendingHarness) settle(env *engine.ExecutionPayloadEnvelope) {
	h.t.Helper()
	h.follower.insert(env)
	h.stock.insert(env)
	require.Eventually(h.t, func() bool {
		s := h.processor.Snapshot()
		return s == nil || s.Number() > env.ExecutionPayload.Number && s.Anchor().Number.Uint64() >= env.ExecutionPayload.Number
	}, waitLong, tick, "the overlay's view of the head")
}

// ask makes a call at the follower that must succeed.
func (h *pendingHarness) ask(out any, method string, args ...any) {
	h.t.Helper()
	h.follower.call(method, args...).into(h.t, out)
}
