// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/beacon"
	"github.com/ethereum/go-ethereum/consensus/ethash"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/txpool/legacypool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// fork names the newest fork that is active at genesis, Bedrock to Jovian.
type fork int

const (
	bedrock fork = iota
	regolith
	canyon
	ecotone
	fjord
	granite
	holocene
	isthmus
	jovian
)

var forkNames = [...]string{"bedrock", "regolith", "canyon", "ecotone", "fjord", "granite", "holocene", "isthmus", "jovian"}

func (f fork) String() string { return forkNames[f] }

// chainConfig is op-geth's OP Stack test configuration up to f.
func (f fork) chainConfig() *gethparams.ChainConfig {
	cfg := *gethparams.OptimismTestConfig
	times := []**uint64{&cfg.RegolithTime, &cfg.CanyonTime, &cfg.EcotoneTime, &cfg.FjordTime, &cfg.GraniteTime, &cfg.HoloceneTime, &cfg.IsthmusTime, &cfg.JovianTime}
	for i, t := range times {
		if int(f) < i+1 {
			*t = nil
		}
	}
	if f < canyon {
		cfg.ShanghaiTime = nil
	}
	if f < ecotone {
		cfg.CancunTime = nil
	}
	if f < isthmus {
		cfg.PragueTime = nil
	}
	return &cfg
}

// Contracts that the tests call. Storage takes (key, value) as call data.
var (
	storageAddr  = common.HexToAddress("0xc0de000000000000000000000000000000000001")
	loggerAddr   = common.HexToAddress("0xc0de000000000000000000000000000000000002")
	reverterAddr = common.HexToAddress("0xc0de000000000000000000000000000000000003")
	suicidalAddr = common.HexToAddress("0xc0de000000000000000000000000000000000004")
	factoryAddr  = common.HexToAddress("0xc0de000000000000000000000000000000000005")
	feeVault     = common.HexToAddress("0x4200000000000000000000000000000000000011")
)

const testGasLimit = 30_000_000

type harnessConfig struct {
	fork     fork
	accounts int
	gasLimit uint64
	scheme   string
	scalar   uint16 // DA footprint scalar, 0 for 400
	builder  func(*Config)
	pool     func(*legacypool.Config)
}

// harness is a chain with a pool and a builder, driven as a consensus client would drive it.
type harness struct {
	t        testing.TB
	cfg      harnessConfig
	chain    *core.BlockChain
	txpool   *txpool.TxPool
	builder  *Builder
	stream   *memoryStream
	keys     []*ecdsa.PrivateKey
	addrs    []common.Address
	signer   types.Signer
	genesis  *core.Genesis
	blockSec uint64
}

// BlockChain implements Backend.
func (h *harness) BlockChain() *core.BlockChain { return h.chain }

// TxPool implements Backend.
func (h *harness) TxPool() *txpool.TxPool { return h.txpool }

func newHarness(t testing.TB, cfg harnessConfig) *harness {
	t.Helper()
	if cfg.accounts == 0 {
		cfg.accounts = 8
	}
	if cfg.gasLimit == 0 {
		cfg.gasLimit = testGasLimit
	}
	if cfg.scalar == 0 {
		cfg.scalar = 400
	}
	if cfg.scheme == "" {
		cfg.scheme = rawdb.PathScheme
	}
	h := &harness{t: t, cfg: cfg, stream: &memoryStream{}, blockSec: 2}
	h.genesis = h.newGenesis()
	h.chain = h.newChain()
	poolConfig := legacypool.DefaultConfig
	poolConfig.Journal = ""
	poolConfig.GlobalSlots, poolConfig.AccountSlots = 1<<17, 1<<12
	poolConfig.GlobalQueue, poolConfig.AccountQueue = 1<<16, 1<<12
	if cfg.pool != nil {
		cfg.pool(&poolConfig)
	}
	pool, err := txpool.New(poolConfig.PriceLimit, h.chain, []txpool.SubPool{legacypool.New(poolConfig, h.chain)}, nil)
	require.NoError(t, err)
	h.txpool = pool
	t.Cleanup(func() { _ = pool.Close() })

	config := Config{Flashblocks: params.DefaultFlashblocks, GasCeil: cfg.gasLimit, GasPrice: big.NewInt(1)}
	config.Enabled = true
	if cfg.builder != nil {
		cfg.builder(&config)
	}
	h.builder, err = New(h, config, h.stream)
	require.NoError(t, err)
	require.NoError(t, h.builder.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, h.builder.Stop()) })
	validator := core.NewBlockValidator(h.chain.Config(), h.chain)
	h.chain.SetBlockValidatorAndProcessorForTesting(validator, h.builder.Processor(core.NewStateProcessor(h.chain)))
	return h
}

// newChain opens another chain on the same genesis, without a builder.
func (h *harness) newChain() *core.BlockChain {
	h.t.Helper()
	options := core.DefaultConfig().WithStateScheme(h.cfg.scheme)
	options.SnapshotLimit = 0
	chain, err := core.NewBlockChain(rawdb.NewMemoryDatabase(), h.genesis, beacon.New(ethash.NewFaker()), options)
	require.NoError(h.t, err)
	h.t.Cleanup(chain.Stop)
	return chain
}

func (h *harness) newGenesis() *core.Genesis {
	cfg := h.cfg.fork.chainConfig()
	h.signer = types.LatestSigner(cfg)
	alloc := types.GenesisAlloc{
		storageAddr:  {Code: common.FromHex("60203560003555" + "00"), Balance: new(big.Int)},
		loggerAddr:   {Code: common.FromHex("602a600052602a60206000a100"), Balance: new(big.Int)},
		reverterAddr: {Code: common.FromHex("60006000fd"), Balance: new(big.Int)},
		suicidalAddr: {Code: common.FromHex("33ff"), Balance: big.NewInt(7), Storage: map[common.Hash]common.Hash{{1}: {2}}},
		factoryAddr:  {Code: common.FromHex("6133ff6000526002601e6000f000"), Balance: new(big.Int), Nonce: 1},
		types.L1BlockAddr: {Balance: new(big.Int), Nonce: 1, Storage: map[common.Hash]common.Hash{
			types.L1BaseFeeSlot:         common.BigToHash(big.NewInt(1e9)),
			types.OverheadSlot:          common.BigToHash(big.NewInt(188)),
			types.ScalarSlot:            common.BigToHash(big.NewInt(684_000)),
			types.L1BlobBaseFeeSlot:     common.BigToHash(big.NewInt(1e6)),
			types.L1FeeScalarsSlot:      common.HexToHash("0x000000000000000000000000000005f00000000a000000000000000000000000"),
			types.OperatorFeeParamsSlot: common.HexToHash("0x000000000000000000000000000000000000000000000064000000000000000a"),
		}},
		gethparams.OptimismL2ToL1MessagePasser: {Balance: new(big.Int), Nonce: 1, Code: common.FromHex("60203560003555" + "00"), Storage: map[common.Hash]common.Hash{{9}: {9}}},
		gethparams.BeaconRootsAddress:          {Nonce: 1, Code: gethparams.BeaconRootsCode, Balance: new(big.Int)},
		gethparams.HistoryStorageAddress:       {Nonce: 1, Code: gethparams.HistoryStorageCode, Balance: new(big.Int)},
	}
	for i := range h.cfg.accounts {
		var seed [32]byte
		binary.BigEndian.PutUint64(seed[24:], uint64(i+1))
		key, err := crypto.ToECDSA(seed[:])
		require.NoError(h.t, err)
		h.keys = append(h.keys, key)
		h.addrs = append(h.addrs, crypto.PubkeyToAddress(key.PublicKey))
		alloc[h.addrs[i]] = types.Account{Balance: new(big.Int).Mul(big.NewInt(1e6), big.NewInt(gethparams.Ether))}
	}
	genesis := &core.Genesis{
		Config:     cfg,
		Alloc:      alloc,
		GasLimit:   h.cfg.gasLimit,
		BaseFee:    big.NewInt(gethparams.InitialBaseFee),
		Difficulty: new(big.Int),
		Timestamp:  uint64(time.Now().Unix()) - 1000,
	}
	if h.cfg.fork >= holocene {
		genesis.ExtraData = eip1559.EncodeOptimismExtraData(cfg, genesis.Timestamp, 250, 6, new(uint64))
	}
	return genesis
}

// attributes are what op-node would send for the block after parent, with the L1 attributes deposit of
// the fork first.
func (h *harness) attributes(parent *types.Header, deposits ...*types.Transaction) *gethminer.BuildPayloadArgs {
	args := &gethminer.BuildPayloadArgs{
		Parent:       parent.Hash(),
		Timestamp:    parent.Time + h.blockSec,
		FeeRecipient: feeVault,
		Random:       common.Hash{0x42},
		Transactions: append([]*types.Transaction{h.l1Info(parent)}, deposits...),
		GasLimit:     &h.cfg.gasLimit,
		Version:      engine.PayloadV1,
	}
	if h.cfg.fork >= canyon {
		args.Withdrawals, args.Version = types.Withdrawals{}, engine.PayloadV2
	}
	if h.cfg.fork >= ecotone {
		args.BeaconRoot, args.Version = &common.Hash{0x0b}, engine.PayloadV3
	}
	if h.cfg.fork >= holocene {
		args.EIP1559Params = make([]byte, 8)
	}
	if h.cfg.fork >= jovian {
		args.MinBaseFee = new(uint64)
	}
	return args
}

// l1Info is the L1 attributes deposit. Its content matters from Jovian on only, where the DA footprint
// scalar is read from it.
func (h *harness) l1Info(parent *types.Header) *types.Transaction {
	data := make([]byte, types.JovianL1AttributesLen)
	copy(data, types.JovianL1AttributesSelector)
	binary.BigEndian.PutUint64(data[20:], parent.Number.Uint64())
	binary.BigEndian.PutUint16(data[len(data)-2:], h.cfg.scalar)
	var source common.Hash
	binary.BigEndian.PutUint64(source[24:], parent.Number.Uint64()+1)
	return types.NewTx(&types.DepositTx{
		SourceHash:          source,
		From:                common.HexToAddress("0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001"),
		To:                  &types.L1BlockAddr,
		Value:               new(big.Int),
		Gas:                 1_000_000,
		IsSystemTransaction: h.cfg.fork < regolith,
		Data:                data,
	})
}

// tx signs a transaction of an account.
func (h *harness) tx(account int, nonce, tip uint64, to *common.Address, gas uint64, data []byte) *types.Transaction {
	h.t.Helper()
	return types.MustSignNewTx(h.keys[account], h.signer, &types.DynamicFeeTx{
		ChainID:   h.chain.Config().ChainID,
		Nonce:     nonce,
		GasTipCap: new(big.Int).SetUint64(tip),
		GasFeeCap: big.NewInt(10 * gethparams.InitialBaseFee),
		Gas:       gas,
		To:        to,
		Value:     big.NewInt(1),
		Data:      data,
	})
}

func (h *harness) transfer(account int, nonce, tip uint64) *types.Transaction {
	to := common.BigToAddress(big.NewInt(int64(account)*1_000_003 + int64(nonce) + 0x10000))
	return h.tx(account, nonce, tip, &to, 21_000, nil)
}

// send adds transactions to the pool and waits until it has promoted them.
func (h *harness) send(txs ...*types.Transaction) {
	h.t.Helper()
	for _, err := range h.txpool.Add(txs, true) {
		require.NoError(h.t, err)
	}
}

// insert imports a payload as newPayload and a forkchoice update would.
func (h *harness) insert(envelope *engine.ExecutionPayloadEnvelope, args *gethminer.BuildPayloadArgs) *types.Block {
	h.t.Helper()
	block := h.toBlock(envelope, args)
	_, err := h.chain.InsertBlockWithoutSetHead(context.Background(), block, false)
	require.NoError(h.t, err)
	_, err = h.chain.SetCanonical(block)
	require.NoError(h.t, err)
	h.builder.NewHead(block.Hash())
	require.NoError(h.t, h.txpool.Sync())
	return block
}

func (h *harness) toBlock(envelope *engine.ExecutionPayloadEnvelope, args *gethminer.BuildPayloadArgs) *types.Block {
	h.t.Helper()
	var requests [][]byte
	if h.cfg.fork >= isthmus {
		requests = [][]byte{}
	}
	block, err := engine.ExecutableDataToBlock(*envelope.ExecutionPayload, nil, args.BeaconRoot, requests, h.chain.Config())
	require.NoError(h.t, err)
	return block
}

// requirePublished asserts I1: the block holds exactly what was published for its payload.
func (h *harness) requirePublished(id engine.PayloadID, envelope *engine.ExecutionPayloadEnvelope) {
	h.t.Helper()
	var published [][]byte
	for i, fb := range h.stream.flashblocks(h.t, id) {
		require.EqualValues(h.t, i, fb.Index, "indices are contiguous and published once")
		published = append(published, fb.Diff.Transactions...)
	}
	require.Equal(h.t, envelope.ExecutionPayload.Transactions, published)
}

// slots encodes the call data of the storage contract.
func slots(key, value uint64) []byte {
	data := make([]byte, 64)
	binary.BigEndian.PutUint64(data[24:], key)
	binary.BigEndian.PutUint64(data[56:], value)
	return data
}
