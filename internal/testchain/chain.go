// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package testchain

import (
	"context"
	"crypto/ecdsa"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/beacon"
	"github.com/ethereum/go-ethereum/consensus/ethash"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/txpool/legacypool"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
)

// Config configures a Chain. The zero value is a Bedrock chain.
type Config struct {
	Fork      Fork
	Accounts  int    // 0 for 8
	GasLimit  uint64 // 0 for 30 million
	Scheme    string // 0 for the path scheme
	Scalar    uint16 // DA footprint scalar, 0 for 400
	BlockTime uint64 // seconds, 0 for 2
	Pool      func(*legacypool.Config)
}

// Chain is a chain with a pool, driven as a consensus client would drive it. It belongs to a test and ends
// with it.
type Chain struct {
	Config  Config
	Genesis *core.Genesis
	Keys    []*ecdsa.PrivateKey
	Addrs   []common.Address
	Signer  types.Signer

	t      testing.TB
	chain  *core.BlockChain
	txpool *txpool.TxPool
}

// New makes a chain at its genesis.
func New(t testing.TB, cfg Config) *Chain {
	t.Helper()
	if cfg.Accounts == 0 {
		cfg.Accounts = 8
	}
	if cfg.GasLimit == 0 {
		cfg.GasLimit = 30_000_000
	}
	if cfg.Scalar == 0 {
		cfg.Scalar = 400
	}
	if cfg.BlockTime == 0 {
		cfg.BlockTime = 2
	}
	if cfg.Scheme == "" {
		cfg.Scheme = rawdb.PathScheme
	}
	c := &Chain{Config: cfg, t: t}
	c.Genesis = c.newGenesis()
	c.chain = c.NewChain()
	pool := legacypool.DefaultConfig
	pool.Journal = ""
	pool.GlobalSlots, pool.AccountSlots = 1<<17, 1<<12
	pool.GlobalQueue, pool.AccountQueue = 1<<16, 1<<12
	if cfg.Pool != nil {
		cfg.Pool(&pool)
	}
	var err error
	c.txpool, err = txpool.New(pool.PriceLimit, c.chain, []txpool.SubPool{legacypool.New(pool, c.chain)}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.txpool.Close() })
	// The pool begins to listen to the chain on a goroutine of its own, which answers only then: a block that
	// comes before would be one that the pool never hears of.
	require.NoError(t, c.txpool.Sync())
	return c
}

// NewChain opens another chain in memory on the same genesis.
func (c *Chain) NewChain() *core.BlockChain {
	c.t.Helper()
	options := core.DefaultConfig().WithStateScheme(c.Config.Scheme)
	options.SnapshotLimit = 0
	chain, err := core.NewBlockChain(rawdb.NewMemoryDatabase(), c.Genesis, beacon.New(ethash.NewFaker()), options)
	require.NoError(c.t, err)
	c.t.Cleanup(chain.Stop)
	return chain
}

// BlockChain returns the chain itself.
func (c *Chain) BlockChain() *core.BlockChain { return c.chain }

// TxPool returns the chain's pool.
func (c *Chain) TxPool() *txpool.TxPool { return c.txpool }

// Now is the moment at which the next block's slot begins, for a builder's wall clock.
func (c *Chain) Now() time.Time { return time.Unix(int64(c.chain.CurrentBlock().Time), 0) }

// Send adds transactions to the pool and waits until it has promoted them.
func (c *Chain) Send(txs ...*types.Transaction) {
	c.t.Helper()
	for _, err := range c.txpool.Add(txs, true) {
		require.NoError(c.t, err)
	}
}

// Block makes a block of a payload.
func (c *Chain) Block(envelope *engine.ExecutionPayloadEnvelope, args *gethminer.BuildPayloadArgs) *types.Block {
	c.t.Helper()
	var requests [][]byte
	if c.Config.Fork >= Isthmus {
		requests = [][]byte{}
	}
	block, err := engine.ExecutableDataToBlock(*envelope.ExecutionPayload, nil, args.BeaconRoot, requests, c.chain.Config())
	require.NoError(c.t, err)
	return block
}

// Insert imports a block and makes it the head, as newPayload and a forkchoice update would.
func (c *Chain) Insert(block *types.Block) {
	c.t.Helper()
	Insert(c.t, c.chain, block)
	require.NoError(c.t, c.txpool.Sync())
}

// Insert imports blocks into a chain and makes the last one the head.
func Insert(t testing.TB, chain *core.BlockChain, blocks ...*types.Block) {
	t.Helper()
	for _, block := range blocks {
		_, err := chain.InsertBlockWithoutSetHead(context.Background(), block, false)
		require.NoError(t, err)
	}
	_, err := chain.SetCanonical(blocks[len(blocks)-1])
	require.NoError(t, err)
}
