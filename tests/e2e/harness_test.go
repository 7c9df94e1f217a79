// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// patience and poll are those of every test on a devnet.
const (
	patience = harness.Patience
	poll     = harness.Poll
)

// options are what a scenario changes about the devnet.
type options struct {
	blockTime   time.Duration // 0 for 1 s
	interval    time.Duration // 0 for 200 ms
	l1BlockTime time.Duration // 0 for 2 s
	load        int           // transactions per second
	batcher     bool
	follower    bool
	proxy       bool     // between the builder's stream and the follower
	plain       bool     // op-geth's behaviour: flashgeth without --flashblocks.enabled
	boost       bool     // flashboost and a local execution layer between op-node and flashgeth
	scheme      string   // of the state, empty for the default
	gcMode      string   // empty for the default
	passed      int      // slots that op-node builds at once, as they have passed
	nodeArgs    []string // appended to the node's command line
}

// network is a devnet with everything a scenario watches it by.
type network struct {
	*devnet.Devnet

	t        *testing.T
	ends     devnet.Endpoints
	rpc      *rpc.Client // of the sequencer's execution layer
	eth      *ethclient.Client
	recorder *recorder // nil for a plain devnet
	load     *devnet.Load
	geth     *plainGeth
}

// boot starts a devnet, follows its stream from the first flashblock on and sends it load. All of it
// ends with the test.
func boot(t *testing.T, o options) *network {
	t.Helper()
	cfg := devnet.DefaultConfig
	cfg.BlockTime, cfg.Interval, cfg.L1BlockTime = time.Second, 200*time.Millisecond, 2*time.Second
	override(&cfg.BlockTime, o.blockTime)
	override(&cfg.Interval, o.interval)
	override(&cfg.L1BlockTime, o.l1BlockTime)
	cfg.Follower, cfg.Proxy, cfg.Batcher, cfg.Plain, cfg.NodeArgs = o.follower, o.proxy, o.batcher, o.plain, o.nodeArgs
	cfg.StateScheme, cfg.GCMode, cfg.Boost = o.scheme, o.gcMode, o.boost
	if o.passed > 0 {
		cfg.GenesisOffset = -time.Duration(o.passed) * cfg.BlockTime
	}
	net := harness.Boot(t, cfg)
	n := &network{Devnet: net, t: t, ends: net.Endpoints()}

	var err error
	n.rpc, err = rpc.DialContext(t.Context(), n.ends.SequencerRPC)
	require.NoError(t, err)
	t.Cleanup(n.rpc.Close)
	n.eth = ethclient.NewClient(n.rpc)
	if !o.plain {
		n.recorder = record(t, n.ends.FlashblocksWS)
	}
	n.geth = newPlainGeth(t, net.Genesis())
	n.load = harness.StartLoad(t, n.ends.SequencerRPC, o.load)
	return n
}

// override replaces a default by a value that is set.
func override(d *time.Duration, v time.Duration) {
	if v != 0 {
		*d = v
	}
}

// head returns the sequencer's latest block number, 0 while it does not answer.
func (n *network) head() uint64 {
	number, err := n.eth.BlockNumber(n.t.Context())
	if err != nil {
		return 0
	}
	return number
}

// awaitHead waits until the sequencer's head is at number or later.
func (n *network) awaitHead(number uint64) {
	n.t.Helper()
	n.awaitHeadWithin(number, patience)
}

// awaitHeadWithin is awaitHead for a head that is many slots away.
func (n *network) awaitHeadWithin(number uint64, limit time.Duration) {
	n.t.Helper()
	require.Eventually(n.t, func() bool { return n.head() >= number }, limit, poll, "waiting until the head is at %d", number)
}

// engine returns a client of the sequencer's Engine API.
func (n *network) engine() *rpc.Client {
	n.t.Helper()
	text, err := os.ReadFile(n.ends.JWT)
	require.NoError(n.t, err)
	client, err := rpc.DialOptions(n.t.Context(), n.ends.Engine, rpc.WithHTTPAuth(node.NewJWTAuth(secret(n.t, string(text)))))
	require.NoError(n.t, err)
	n.t.Cleanup(client.Close)
	return client
}

// call makes one RPC call that has to succeed.
func call(ctx context.Context, t *testing.T, client *rpc.Client, result any, method string, args ...any) {
	t.Helper()
	require.NoError(t, client.CallContext(ctx, result, method, args...), method)
}
