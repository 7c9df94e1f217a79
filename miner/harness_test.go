// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"crypto/ecdsa"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/txpool/legacypool"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// The forks of the OP Stack, and the clock that jumps over waits.
type (
	fork      = testchain.Fork
	jumpClock = testchain.JumpClock
)

const (
	bedrock  = testchain.Bedrock
	regolith = testchain.Regolith
	canyon   = testchain.Canyon
	ecotone  = testchain.Ecotone
	fjord    = testchain.Fjord
	granite  = testchain.Granite
	holocene = testchain.Holocene
	isthmus  = testchain.Isthmus
	jovian   = testchain.Jovian
)

// Contracts that the tests call. Storage takes (key, value) as call data.
var (
	storageAddr  = testchain.StorageAddr
	loggerAddr   = testchain.LoggerAddr
	reverterAddr = testchain.ReverterAddr
	suicidalAddr = testchain.SuicidalAddr
	factoryAddr  = testchain.FactoryAddr
	feeVault     = testchain.FeeVault
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
	*testchain.Chain

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

func newHarness(t testing.TB, cfg harnessConfig) *harness {
	t.Helper()
	if cfg.gasLimit == 0 {
		cfg.gasLimit = testGasLimit
	}
	base := testchain.New(t, testchain.Config{
		Fork: cfg.fork, Accounts: cfg.accounts, GasLimit: cfg.gasLimit, Scheme: cfg.scheme, Scalar: cfg.scalar, Pool: cfg.pool,
	})
	h := &harness{
		Chain: base, t: t, cfg: cfg, stream: &memoryStream{}, chain: base.BlockChain(), txpool: base.TxPool(),
		keys: base.Keys, addrs: base.Addrs, signer: base.Signer, genesis: base.Genesis, blockSec: base.Config.BlockTime,
	}
	config := Config{Flashblocks: params.DefaultFlashblocks, GasCeil: cfg.gasLimit, GasPrice: big.NewInt(1)}
	config.Enabled = true
	if cfg.builder != nil {
		cfg.builder(&config)
	}
	var err error
	h.builder, err = New(h, config, h.stream)
	require.NoError(t, err)
	require.NoError(t, h.builder.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, h.builder.Stop()) })
	validator := core.NewBlockValidator(h.chain.Config(), h.chain)
	h.chain.SetBlockValidatorAndProcessorForTesting(validator, h.builder.Processor(core.NewStateProcessor(h.chain)))
	return h
}

// stock is op-geth's own miner on the same node. Whoever calls WaitFull asks it to recommit soon, so that no wake-up can
// be missed for good.
func (h *harness) stock(recommit time.Duration) *gethminer.Miner {
	h.t.Helper()
	m := gethminer.New(h, gethminer.Config{GasCeil: h.cfg.gasLimit, GasPrice: big.NewInt(1), Recommit: recommit}, h.chain.Engine())
	h.t.Cleanup(m.Close)
	return m
}

// newChain opens another chain on the same genesis, without a builder.
func (h *harness) newChain() *core.BlockChain { return h.NewChain() }

// attributes are what op-node would send for the block after parent.
func (h *harness) attributes(parent *types.Header, deposits ...*types.Transaction) *gethminer.BuildPayloadArgs {
	return h.Attributes(parent, deposits...)
}

// tx signs a transaction of an account that pays one wei.
func (h *harness) tx(account int, nonce, tip uint64, to *common.Address, gas uint64, data []byte) *types.Transaction {
	h.t.Helper()
	return h.TxWithValue(account, nonce, tip, to, 1, gas, data)
}

func (h *harness) transfer(account int, nonce, tip uint64) *types.Transaction {
	return h.Transfer(account, nonce, tip)
}

// send adds transactions to the pool and waits until it has promoted them.
func (h *harness) send(txs ...*types.Transaction) {
	h.t.Helper()
	h.Send(txs...)
}

// insert imports a payload as newPayload and a forkchoice update would.
func (h *harness) insert(envelope *engine.ExecutionPayloadEnvelope, args *gethminer.BuildPayloadArgs) *types.Block {
	h.t.Helper()
	block := h.toBlock(envelope, args)
	testchain.Insert(h.t, h.chain, block)
	h.builder.NewHead(block.Hash())
	require.NoError(h.t, h.txpool.Sync())
	return block
}

func (h *harness) toBlock(envelope *engine.ExecutionPayloadEnvelope, args *gethminer.BuildPayloadArgs) *types.Block {
	h.t.Helper()
	return h.Block(envelope, args)
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
func slots(key, value uint64) []byte { return testchain.Words(key, value) }
