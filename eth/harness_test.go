// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// genesisTime is long past, so that no slot of a test is in progress and every deadline is overdue.
const genesisTime = 1_700_000_000

const blockTime = 2 // seconds

// fork is one of the chain configurations a test runs on, all active at genesis.
type fork string

const (
	bedrock  fork = "bedrock"
	canyon   fork = "canyon"
	ecotone  fork = "ecotone"
	holocene fork = "holocene"
	isthmus  fork = "isthmus"
	jovian   fork = "jovian"
)

var allForks = []fork{bedrock, canyon, ecotone, holocene, isthmus, jovian}

// version returns the forkchoice update that op-node uses for the fork.
func (f fork) version() int {
	switch f {
	case bedrock, canyon:
		return 2
	default:
		return 3
	}
}

// getPayload returns the method that op-node fetches a payload of the fork with.
func (f fork) getPayload() string {
	switch f {
	case bedrock, canyon:
		return "engine_getPayloadV2"
	case ecotone, holocene:
		return "engine_getPayloadV3"
	default:
		return "engine_getPayloadV4"
	}
}

func (f fork) config() *gethparams.ChainConfig {
	c := *gethparams.OptimismTestConfig
	for _, later := range []struct {
		fork fork
		off  []**uint64
	}{
		{jovian, []**uint64{&c.JovianTime}},
		{isthmus, []**uint64{&c.IsthmusTime, &c.PragueTime}},
		{holocene, []**uint64{&c.HoloceneTime, &c.GraniteTime, &c.FjordTime}},
		{ecotone, []**uint64{&c.EcotoneTime, &c.CancunTime}},
		{canyon, []**uint64{&c.CanyonTime, &c.ShanghaiTime}},
	} {
		if f == later.fork {
			break
		}
		for _, t := range later.off {
			*t = nil
		}
	}
	return &c
}

// extraData returns the extra data of a genesis block of the fork.
func (f fork) extraData() []byte {
	c := f.config()
	if !c.IsHolocene(genesisTime) {
		return nil
	}
	minBaseFee := uint64(0)
	return eip1559.EncodeOptimismExtraData(c, genesisTime, 250, 6, &minBaseFee)
}

var (
	userKey  = mustKey("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291")
	userAddr = crypto.PubkeyToAddress(userKey.PublicKey)
)

func mustKey(hex string) *ecdsa.PrivateKey {
	key, err := crypto.HexToECDSA(hex)
	if err != nil {
		panic(err)
	}
	return key
}

func (f fork) genesis() *core.Genesis {
	return &core.Genesis{
		Config:     f.config(),
		Timestamp:  genesisTime,
		ExtraData:  f.extraData(),
		GasLimit:   30_000_000,
		BaseFee:    big.NewInt(gethparams.InitialBaseFee),
		Difficulty: new(big.Int),
		Alloc: types.GenesisAlloc{
			userAddr: {Balance: new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(gethparams.Ether))},
			// Storage of its own gives the message passer a root that is not the empty one.
			gethparams.OptimismL2ToL1MessagePasser: {
				Balance: new(big.Int), Code: []byte{0}, Nonce: 1,
				Storage: map[common.Hash]common.Hash{{1}: {1}},
			},
		},
	}
}

// testNode is a real op-geth node in this process, with this package registered or not.
type testNode struct {
	t       testing.TB
	fork    fork
	stack   *node.Node
	eth     *gethEth.Ethereum
	client  *rpc.Client
	service *Service
	begun   startMark
}

// setup registers an Engine API on a node that has not been started.
type setup func(t testing.TB, n *testNode)

// stock registers op-geth's own Engine API.
func stock(t testing.TB, n *testNode) {
	t.Helper()
	require.NoError(t, catalyst.Register(n.stack, n.eth))
}

// withBuilder registers this package's Engine API over the given builder.
func withBuilder(b *fakeBuilder) setup {
	return func(t testing.TB, n *testNode) {
		t.Helper()
		b.chain = n.eth.BlockChain()
		keeper, err := restart.New(n.stack, n.eth, false)
		require.NoError(t, err)
		n.service = new(Service)
		n.service.add("restart", keeper.Start, keeper.Stop)
		attachEngine(n.stack, n.eth, keeper.ConsensusAPI(), b, n.service)
		n.service.register(n.stack)
	}
}

// newUnstarted makes a node and its eth service.
func newUnstarted(t testing.TB, f fork, genesis *core.Genesis, changes ...func(*ethconfig.Config)) *testNode {
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
	n := &testNode{t: t, fork: f, stack: stack}
	stack.RegisterLifecycle(&n.begun)
	t.Cleanup(func() {
		if n.eth != nil && !n.begun.started {
			// The stack stops what it has started only, and op-geth ends the process when a background
			// task of its chain finds the database closed.
			n.eth.BlockChain().Stop()
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
	n.eth, err = gethEth.New(stack, &cfg)
	require.NoError(t, err)
	require.NoError(t, n.eth.TxPool().Sync()) // it hears of no block before it listens
	return n
}

// newNode makes and starts a node of the fork.
func newNode(t testing.TB, f fork, register setup) *testNode {
	t.Helper()
	n := newUnstarted(t, f, f.genesis())
	register(t, n)
	n.start()
	return n
}

// start starts the node and connects to it.
func (n *testNode) start() {
	n.t.Helper()
	require.NoError(n.t, n.stack.Start())
	n.client = n.stack.Attach()
	n.t.Cleanup(n.client.Close)
	n.eth.SetSynced()
}

// answer is what a JSON-RPC call came to, comparable between nodes.
type answer struct {
	Result string
	Code   int
	Error  string
	Data   string
}

// call makes an RPC call with raw parameters.
func (n *testNode) call(method string, params ...any) answer {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	var raw json.RawMessage
	err := n.client.CallContext(ctx, &raw, method, params...)
	if err == nil {
		return answer{Result: string(raw)}
	}
	out := answer{Error: err.Error()}
	var coded rpc.Error
	require.ErrorAs(n.t, err, &coded, "%s gave no RPC error", method)
	out.Code = coded.ErrorCode()
	var detailed rpc.DataError
	if errors.As(err, &detailed) && detailed.ErrorData() != nil {
		data, err := json.Marshal(detailed.ErrorData())
		require.NoError(n.t, err)
		out.Data = string(data)
	}
	return out
}

// into decodes a successful answer.
func (a answer) into(t testing.TB, out any) {
	t.Helper()
	require.Empty(t, a.Error, "unexpected error, data %s", a.Data)
	require.NoError(t, json.Unmarshal([]byte(a.Result), out))
}

// object is a JSON object under construction, so that members can be left out or be nonsense.
type object map[string]any

// with returns a copy with members set; a nil value removes the member.
func (o object) with(members object) object {
	out := make(object, len(o)+len(members))
	for k, v := range o {
		out[k] = v
	}
	for k, v := range members {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = v
	}
	return out
}

// attributes returns good attributes of the fork for the slot after a parent at the given time.
func (f fork) attributes(parentTime, seq uint64) object {
	c := f.config()
	at := parentTime + blockTime
	out := object{
		"timestamp":             hexUint(at),
		"prevRandao":            common.Hash{7},
		"suggestedFeeRecipient": common.HexToAddress("0x4200000000000000000000000000000000000011"),
		"gasLimit":              hexUint(30_000_000),
		"transactions":          []string{hexBytes(l1Info(f, seq))},
	}
	if c.IsCanyon(at) {
		out["withdrawals"] = []any{}
	}
	if c.IsEcotone(at) {
		out["parentBeaconBlockRoot"] = common.Hash{9}
	}
	if c.IsHolocene(at) {
		out["eip1559Params"] = "0x000000fa00000006"
	}
	if c.IsJovian(at) {
		out["minBaseFee"] = 0
	}
	return out
}

func hexUint(v uint64) string  { return "0x" + new(big.Int).SetUint64(v).Text(16) }
func hexBytes(b []byte) string { return "0x" + common.Bytes2Hex(b) }
func ptr[T any](v T) *T        { return &v }
func head(h common.Hash) object {
	return object{"headBlockHash": h, "safeBlockHash": common.Hash{}, "finalizedBlockHash": common.Hash{}}
}

// l1Info returns an encoded L1 attributes deposit; seq makes it unique.
func l1Info(f fork, seq uint64) []byte {
	data := make([]byte, 4)
	if f == jovian {
		data = make([]byte, types.JovianL1AttributesLen)
		copy(data, types.JovianL1AttributesSelector)
		binary.BigEndian.PutUint16(data[types.JovianL1AttributesLen-2:], 400)
	}
	enc, err := types.NewTx(&types.DepositTx{
		SourceHash: common.BigToHash(new(big.Int).SetUint64(seq + 1)),
		From:       common.HexToAddress("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001"),
		To:         &types.L1BlockAddr,
		Value:      new(big.Int),
		Gas:        1_000_000,
		Data:       data,
	}).MarshalBinary()
	if err != nil {
		panic(err)
	}
	return enc
}

// transfer returns a signed transfer of the test user.
func (n *testNode) transfer(nonce uint64) *types.Transaction {
	n.t.Helper()
	config := n.eth.BlockChain().Config()
	tx, err := types.SignNewTx(userKey, types.LatestSigner(config), &types.DynamicFeeTx{
		ChainID: config.ChainID, Nonce: nonce, Gas: 21_000, To: &common.Address{0xaa}, Value: big.NewInt(1),
		GasTipCap: big.NewInt(gethparams.GWei), GasFeeCap: big.NewInt(100 * gethparams.GWei),
	})
	require.NoError(n.t, err)
	return tx
}

// genesisHash returns the hash of block 0.
func (n *testNode) genesisHash() common.Hash { return n.eth.BlockChain().Genesis().Hash() }

// fcu sends the fork's forkchoice update and requires a payload id.
func (n *testNode) fcu(h common.Hash, attrs object) engine.PayloadID {
	n.t.Helper()
	var res engine.ForkChoiceResponse
	n.call(fcuMethod(n.fork.version()), head(h), attrs).into(n.t, &res)
	require.Equal(n.t, engine.VALID, res.PayloadStatus.Status)
	require.NotNil(n.t, res.PayloadID)
	return *res.PayloadID
}

func fcuMethod(version int) string { return "engine_forkchoiceUpdatedV" + string(rune('0'+version)) }

// payload fetches a payload with the fork's method.
func (n *testNode) payload(id engine.PayloadID) *engine.ExecutionPayloadEnvelope {
	n.t.Helper()
	var env engine.ExecutionPayloadEnvelope
	n.call(n.fork.getPayload(), id).into(n.t, &env)
	return &env
}

// insert imports a payload and makes it the head.
func (n *testNode) insert(env *engine.ExecutionPayloadEnvelope) common.Hash {
	n.t.Helper()
	params := []any{env.ExecutionPayload}
	method := "engine_newPayloadV2"
	switch n.fork {
	case ecotone, holocene:
		method, params = "engine_newPayloadV3", append(params, []common.Hash{}, env.ParentBeaconBlockRoot)
	case isthmus, jovian:
		method, params = "engine_newPayloadV4", append(params, []common.Hash{}, env.ParentBeaconBlockRoot, []string{})
	case bedrock, canyon:
	}
	var status engine.PayloadStatusV1
	n.call(method, params...).into(n.t, &status)
	require.Equal(n.t, engine.VALID, status.Status, "%v", status.ValidationError)
	var res engine.ForkChoiceResponse
	n.call(fcuMethod(n.fork.version()), head(env.ExecutionPayload.BlockHash), nil).into(n.t, &res)
	require.Equal(n.t, engine.VALID, res.PayloadStatus.Status)
	return env.ExecutionPayload.BlockHash
}
