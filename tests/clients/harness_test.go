// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package clients

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

const (
	// patience bounds the wait for anything that a healthy devnet does within a few slots.
	patience = harness.Patience

	// poll is the time between two looks at a condition.
	poll = 5 * time.Millisecond
)

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
	net := harness.Boot(t, cfg)
	n := &network{Devnet: net, t: t, ends: net.Endpoints()}
	n.load = harness.StartLoad(t, n.ends.SequencerRPC, rate)
	for _, at := range n.nodes() {
		client := at.dial(t)
		require.Eventually(t, func() bool {
			number, err := client.BlockNumber(t.Context())
			return err == nil && number >= 2
		}, patience, 20*poll, "the first blocks at the %s", at.name)
	}
	return n
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
