// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/eth/pending"
)

// A node serves the subscription over its websocket, with nothing but the flashblocks namespace.
func TestSubscribePositionAtNode(t *testing.T) {
	t.Parallel()
	n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	cfg := n.Stack.Config()
	cfg.WSHost, cfg.WSModules = "127.0.0.1", []string{"flashblocks"}
	enabled(t, n)
	n.Start()
	client, err := rpc.DialContext(t.Context(), n.Stack.WSEndpoint())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	items := make(chan pending.Position, 1000)
	sub, err := client.Subscribe(t.Context(), "flashblocks", items, "position")
	require.NoError(t, err)
	t.Cleanup(sub.Unsubscribe)

	id := n.Build(n.GenesisHash(), ethtest.Jovian.Attributes(ethtest.GenesisTime, 0))
	var at pending.Position
	select {
	case at = <-items:
	case <-time.After(ethtest.Patience):
		require.FailNow(t, "nothing came")
	}
	require.EqualValues(t, 1, at.BlockNumber)
	require.Equal(t, id, at.ID)
	require.Equal(t, n.GenesisHash(), at.ParentHash)
}
