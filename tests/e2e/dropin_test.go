// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWithoutFlashblocks puts flashgeth where geth stood: driven by the same op-node, without
// --flashblocks.enabled, it builds blocks as op-geth does and opens no port of its own.
func TestWithoutFlashblocks(t *testing.T) {
	t.Parallel()
	n := boot(t, options{plain: true, load: 40})
	last := n.head() + 8 // the load has begun
	n.awaitHead(last)
	users := 0
	for number := uint64(1); number <= last; number++ {
		block := n.block(number)
		n.geth.requireValid(t, block)
		users += len(block.Transactions()) - 1
	}
	require.Greater(t, users, 40, "user transactions")

	pids := processesOf(t, n.ends.DataDir, "flashgeth")
	require.Len(t, pids, 1)
	wanted := ports(t, n.ends.SequencerRPC, n.ends.SequencerWS, n.ends.Engine)
	listening := listeningPorts(t, pids[0])
	t.Logf("%d user transactions in %d blocks; the node listens on %v", users, last, listening)
	for _, port := range wanted {
		require.Contains(t, listening, port)
	}
	require.Len(t, listening, len(wanted)+1, "RPC, websocket, engine and p2p; no stream, no metrics")

	var modules map[string]string
	call(t.Context(), t, n.rpc, &modules, "rpc_modules")
	require.NotContains(t, modules, "flashblocks")
}
