// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
)

const (
	// root is the module's root as seen from this package, where go test runs.
	root = "../.."

	// patience bounds the wait for anything that a healthy devnet does within a few slots.
	patience = time.Minute

	// poll is the time between two looks at a condition.
	poll = 5 * time.Millisecond
)

// program returns the path of a binary that make has built.
func program(t testing.TB, name, target string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "bin", name))
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoErrorf(t, err, "the program bin/%s is missing: build it with `make %s`", name, target)
	return path
}

// network is a devnet with a follower and some load.
type network struct {
	*devnet.Devnet
	t    testing.TB
	ends devnet.Endpoints
	load *devnet.Load
}

// boot starts a devnet that ends with the test.
func boot(t testing.TB, rate int) *network {
	t.Helper()
	cfg := devnet.DefaultConfig
	cfg.BlockTime, cfg.L1BlockTime = time.Second, 2*time.Second
	cfg.Follower, cfg.Proxy, cfg.Batcher = true, false, false
	cfg.NodeBinary = program(t, "flashgeth", "build")
	cfg.OpStackDir = filepath.Dir(program(t, "opstack/op-node", "opstack"))
	cfg.DataDir = filepath.Join(t.TempDir(), "devnet")
	begin := time.Now()
	net, err := devnet.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Logf("the devnet is up after %v", time.Since(begin).Round(time.Millisecond))
	n := &network{Devnet: net, t: t, ends: net.Endpoints()}
	t.Cleanup(n.shutdown)
	n.load, err = devnet.NewLoad(devnet.LoadConfig{RPC: n.ends.SequencerRPC, Rate: rate, Seed: 1})
	require.NoError(t, err)
	require.NoError(t, n.load.Start(t.Context()))
	for _, at := range n.nodes() {
		client := at.dial(t)
		require.Eventually(t, func() bool {
			number, err := client.BlockNumber(t.Context())
			return err == nil && number >= 2
		}, patience, 20*poll, "the first blocks at the %s", at.name)
	}
	return n
}

// shutdown stops everything and reports parts that ended by themselves.
func (n *network) shutdown() {
	n.load.Stop()
	select {
	case err := <-n.Failed():
		n.t.Errorf("a part of the devnet failed: %v", err)
	default:
	}
	if n.t.Failed() {
		for _, process := range []string{"node", "follower"} {
			n.t.Logf("the end of the log of %s:\n%s", process, tail(n.LogPath(process), 40))
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

// target is a node that the clients talk to.
type target struct{ name, rpc, ws string }

// nodes are the nodes of the devnet.
func (n *network) nodes() []target {
	return []target{
		{"sequencer", n.ends.SequencerRPC, n.ends.SequencerWS},
		{"follower", n.ends.FollowerRPC, n.ends.FollowerWS},
	}
}

// dial connects an ethclient by websocket.
func (at target) dial(t testing.TB) *ethclient.Client {
	t.Helper()
	client, err := rpc.DialContext(t.Context(), at.ws)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return ethclient.NewClient(client)
}

// position is what flashblocks_getPosition answers.
type position struct {
	BlockNumber, Index hexutil.Uint64
	ID                 string
}

// position asks a node for its position, nil while pending is latest.
func (at target) position(t testing.TB, client *ethclient.Client) *position {
	t.Helper()
	var p *position
	require.NoError(t, client.Client().CallContext(t.Context(), &p, "flashblocks_getPosition"), at.name)
	return p
}
