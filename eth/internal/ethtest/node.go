// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package ethtest

import (
	"crypto/ecdsa"
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// User is an account with funds in every genesis.
var (
	UserKey = mustKey("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291")
	User    = crypto.PubkeyToAddress(UserKey.PublicKey)
)

func mustKey(hex string) *ecdsa.PrivateKey {
	key, err := crypto.HexToECDSA(hex)
	if err != nil {
		panic(err)
	}
	return key
}

// Node is a real op-geth node in this process. What is registered on it is for the test to say.
type Node struct {
	Fork   Fork
	Stack  *node.Node
	Eth    *gethEth.Ethereum
	Client *rpc.Client // connected once the node has started

	t     testing.TB
	begun startMark
}

// startMark remembers that a node was started.
type startMark struct{ started bool }

// Start implements node.Lifecycle.
func (m *startMark) Start() error {
	m.started = true
	return nil
}

// Stop implements node.Lifecycle.
func (*startMark) Stop() error { return nil }

// NewNode makes a node and its eth service, which are not started.
func NewNode(t testing.TB, f Fork, genesis *core.Genesis, changes ...func(*ethconfig.Config)) *Node {
	t.Helper()
	n := NewDeafNode(t, f, genesis, changes...)
	require.NoError(t, n.Eth.TxPool().Sync()) // it hears of no block before it listens
	return n
}

// NewDeafNode is NewNode, except that the pool is not made to listen for blocks: on a genesis block on which no other
// can stand it would end the process.
func NewDeafNode(t testing.TB, f Fork, genesis *core.Genesis, changes ...func(*ethconfig.Config)) *Node {
	t.Helper()
	stack, err := node.New(&node.Config{
		Name:    "flashgeth-test",
		DataDir: "", // keeps everything in memory
		// Whatever is asked for here, the Engine API must not be served without a token.
		HTTPHost:    "127.0.0.1",
		HTTPModules: []string{"engine", "miner", "testing"},
		AuthAddr:    "127.0.0.1",
		P2P:         p2p.Config{NoDiscovery: true, NoDial: true, MaxPeers: 0},
	})
	require.NoError(t, err)
	n := &Node{t: t, Fork: f, Stack: stack}
	stack.RegisterLifecycle(&n.begun)
	t.Cleanup(func() {
		if n.Eth != nil && !n.begun.started {
			// The stack stops what it has started only, and op-geth ends the process when a background
			// task of its chain finds the database closed.
			n.Eth.BlockChain().Stop()
		}
		_ = stack.Close() // tests that check the stop have closed it
	})

	cfg := ethconfig.Defaults
	cfg.Genesis = genesis
	cfg.NetworkId = genesis.Config.ChainID.Uint64()
	cfg.SyncMode = ethconfig.FullSync
	cfg.TrieCleanCache, cfg.TrieDirtyCache, cfg.SnapshotCache = 16, 16, 16
	cfg.TxPool.Journal = ""
	cfg.LogNoHistory = true
	for _, change := range changes {
		change(&cfg)
	}
	n.Eth, err = gethEth.New(stack, &cfg)
	require.NoError(t, err)
	return n
}

// RegisterEngine registers op-geth's own Engine API.
func (n *Node) RegisterEngine() {
	n.t.Helper()
	require.NoError(n.t, catalyst.Register(n.Stack, n.Eth))
}

// registerStock registers op-geth's own services: the Engine API, and what cmd/flashgeth registers before the
// pending services.
func (n *Node) registerStock() {
	n.t.Helper()
	n.RegisterEngine()
	n.Stack.RegisterAPIs(tracers.APIs(n.Eth.APIBackend))
	n.Stack.RegisterAPIs([]rpc.API{{Namespace: "eth", Service: filters.NewFilterAPI(
		filters.NewFilterSystem(n.Eth.APIBackend, filters.Config{LogQueryLimit: ethconfig.Defaults.LogQueryLimit}))}})
}

// Start starts the node and connects to it.
func (n *Node) Start() {
	n.t.Helper()
	require.NoError(n.t, n.Stack.Start())
	n.Client = n.Stack.Attach()
	n.t.Cleanup(n.Client.Close)
	n.Eth.SetSynced()
}

// GenesisHash returns the hash of block 0.
func (n *Node) GenesisHash() common.Hash { return n.Eth.BlockChain().Genesis().Hash() }

// Transfer returns a signed transfer of User.
func (n *Node) Transfer(nonce uint64) *types.Transaction {
	n.t.Helper()
	config := n.Eth.BlockChain().Config()
	tx, err := types.SignNewTx(UserKey, types.LatestSigner(config), &types.DynamicFeeTx{
		ChainID: config.ChainID, Nonce: nonce, Gas: 21_000, To: &common.Address{0xaa}, Value: big.NewInt(1),
		GasTipCap: big.NewInt(gethparams.GWei), GasFeeCap: big.NewInt(100 * gethparams.GWei),
	})
	require.NoError(n.t, err)
	return tx
}

// Build sends the fork's forkchoice update with attributes and requires a payload id.
func (n *Node) Build(head common.Hash, attrs Object) engine.PayloadID {
	n.t.Helper()
	var res engine.ForkChoiceResponse
	n.Call(UpdateMethod(n.Fork.Update()), Head(head), attrs).Into(n.t, &res)
	require.Equal(n.t, engine.VALID, res.PayloadStatus.Status)
	require.NotNil(n.t, res.PayloadID)
	return *res.PayloadID
}

// UpdateMethod is the forkchoice update of a version.
func UpdateMethod(version int) string { return "engine_forkchoiceUpdatedV" + strconv.Itoa(version) }

// Payload fetches a payload with the fork's method.
func (n *Node) Payload(id engine.PayloadID) *engine.ExecutionPayloadEnvelope {
	n.t.Helper()
	var env engine.ExecutionPayloadEnvelope
	n.Call(n.Fork.GetPayload(), id).Into(n.t, &env)
	return &env
}

// Insert imports a payload and makes it the head.
func (n *Node) Insert(env *engine.ExecutionPayloadEnvelope) common.Hash {
	n.t.Helper()
	params := []any{env.ExecutionPayload}
	method := "engine_newPayloadV2"
	if n.Fork.Fork >= testchain.Ecotone {
		method, params = "engine_newPayloadV3", append(params, []common.Hash{}, env.ParentBeaconBlockRoot)
	}
	if n.Fork.Fork >= testchain.Isthmus {
		method, params = "engine_newPayloadV4", append(params, []string{})
	}
	var status engine.PayloadStatusV1
	n.Call(method, params...).Into(n.t, &status)
	require.Equal(n.t, engine.VALID, status.Status, "%v", status.ValidationError)
	var res engine.ForkChoiceResponse
	n.Call(UpdateMethod(n.Fork.Update()), Head(env.ExecutionPayload.BlockHash), nil).Into(n.t, &res)
	require.Equal(n.t, engine.VALID, res.PayloadStatus.Status)
	return env.ExecutionPayload.BlockHash
}
