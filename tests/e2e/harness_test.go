// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
)

// root is the module's root as seen from this package, where go test runs.
const root = "../.."

// patience bounds the wait for anything that a healthy devnet does within a few slots. It is an order
// of magnitude above what an idle machine needs.
const patience = time.Minute

// poll is the time between two looks at a condition.
const poll = 20 * time.Millisecond

// program returns the path of a binary that make has built, and fails the test if it is not there.
func program(t *testing.T, name, target string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "bin", name))
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoErrorf(t, err, "the program bin/%s is missing: build it with `make %s`", name, target)
	return path
}

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
// ends with the test; the end of a process that nobody asked for fails the test.
func boot(t *testing.T, o options) *network {
	t.Helper()
	cfg := devnet.DefaultConfig
	cfg.BlockTime, cfg.Interval, cfg.L1BlockTime = time.Second, 200*time.Millisecond, 2*time.Second
	override(&cfg.BlockTime, o.blockTime)
	override(&cfg.Interval, o.interval)
	override(&cfg.L1BlockTime, o.l1BlockTime)
	cfg.Follower, cfg.Proxy, cfg.Batcher, cfg.Plain, cfg.NodeArgs = o.follower, o.proxy, o.batcher, o.plain, o.nodeArgs
	cfg.NodeBinary = program(t, "flashgeth", "build")
	cfg.OpStackDir = filepath.Dir(program(t, "opstack/op-node", "opstack"))
	program(t, "opstack/op-batcher", "opstack")
	cfg.ProxyBinary = filepath.Join(root, "bin", "flashproxy")
	if o.proxy {
		cfg.ProxyBinary = program(t, "flashproxy", "build")
	}
	cfg.DataDir = filepath.Join(t.TempDir(), "devnet")

	begin := time.Now()
	net, err := devnet.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Logf("the devnet is up after %v", time.Since(begin).Round(time.Millisecond))
	n := &network{Devnet: net, t: t, ends: net.Endpoints()}
	t.Cleanup(n.shutdown)

	n.rpc, err = rpc.DialContext(t.Context(), n.ends.SequencerRPC)
	require.NoError(t, err)
	n.eth = ethclient.NewClient(n.rpc)
	if !o.plain {
		n.recorder = record(t, n.ends.FlashblocksWS)
	}
	n.geth = newPlainGeth(t, net.Genesis())
	n.load, err = devnet.NewLoad(devnet.LoadConfig{RPC: n.ends.SequencerRPC, Rate: o.load, Seed: 1})
	require.NoError(t, err)
	require.NoError(t, n.load.Start(t.Context()))
	return n
}

// override replaces a default by a value that is set.
func override(d *time.Duration, v time.Duration) {
	if v != 0 {
		*d = v
	}
}

// shutdown stops the load and the devnet, and reports parts that ended by themselves.
func (n *network) shutdown() {
	if n.load != nil {
		n.load.Stop()
	}
	if n.rpc != nil {
		n.rpc.Close()
	}
	select {
	case err := <-n.Failed():
		n.t.Errorf("a part of the devnet failed: %v", err)
	default:
	}
	if n.t.Failed() {
		for _, process := range []string{"node", "op-node"} {
			n.t.Logf("the end of the log of %s:\n%s", process, tail(n.LogPath(process), 60))
		}
	}
	if err := n.Stop(); err != nil {
		n.t.Errorf("the devnet did not stop cleanly: %v", err)
	}
}

// tail returns the last lines of a log, without one line per transaction of the load.
func tail(path string, count int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, "Submitted transaction") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-count):], "")
}

// eventually waits until a condition holds and fails the test, naming it, if it never does.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, poll, "waiting until "+what)
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
