// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

func TestMain(m *testing.M) { ethtest.Main(m) }

type (
	object = ethtest.Object
	answer = ethtest.Answer
)

// setup registers an Engine API on a node that has not been started.
type setup func(t testing.TB, n *ethtest.Node)

// stock registers op-geth's own Engine API.
func stock(t testing.TB, n *ethtest.Node) {
	t.Helper()
	n.RegisterEngine()
}

// withBuilder registers this package's APIs over the given builder.
func withBuilder(b *fakeBuilder) setup {
	return func(t testing.TB, n *ethtest.Node) {
		t.Helper()
		b.chain = n.Eth.BlockChain()
		serve(t, n, b)
	}
}

// withMiner registers this package's APIs over a real builder whose stream nobody reads.
func withMiner(t testing.TB, n *ethtest.Node) {
	t.Helper()
	b := newMiner(t, n)
	require.NoError(t, b.Start(t.Context()))
	serve(t, n, b)
}

// newMiner makes a real builder that has not been started.
func newMiner(t testing.TB, n *ethtest.Node) *miner.Builder {
	t.Helper()
	flags := params.DefaultFlashblocks
	flags.Enabled = true
	b, err := miner.New(n.Eth, miner.Config{Flashblocks: flags, GasCeil: gethminer.DefaultConfig.GasCeil}, unread{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Stop()) })
	return b
}

// unread is a stream that nobody reads.
type unread struct{}

// Publish implements miner.Publisher.
func (unread) Publish(stream.Message) {}

// serve registers a Service on a node that streams.
func serve(t testing.TB, n *ethtest.Node, b Builder) {
	t.Helper()
	serveAs(t, n, b, true)
}

// serveAs registers a Service on a node that streams or not.
func serveAs(t testing.TB, n *ethtest.Node, b Builder, streams bool) {
	t.Helper()
	keeper, err := restart.New(n.Stack, n.Eth, false, Decision(n.Eth.BlockChain()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, keeper.Stop()) })
	chain := n.Eth.BlockChain()
	chain.SetBlockValidatorAndProcessorForTesting(miner.NewValidator(chain.Validator(), chain.Config()), miner.NewProcessor(chain.Processor(), chain))
	n.Stack.RegisterAPIs(New(Config{Ethereum: n.Eth, Consensus: keeper.ConsensusAPI(), Builder: b, Streams: streams}).APIs())
}

// newNode makes and starts a node of the fork.
func newNode(t testing.TB, f ethtest.Fork, register setup) *ethtest.Node {
	t.Helper()
	n := ethtest.NewNode(t, f, f.Genesis())
	register(t, n)
	n.Start()
	return n
}

// start answers a forkchoice update with attributes on the node's genesis.
func start(t testing.TB, n *ethtest.Node, attrs object) engine.PayloadID {
	t.Helper()
	return n.Build(n.GenesisHash(), attrs)
}

func ptr[T any](v T) *T { return &v }
