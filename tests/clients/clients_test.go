// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package clients

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// loadRate is what else happens on the devnet, in transactions per second.
const loadRate = 40

// Every client, at the sequencer and at the follower, while flashblocks come and while there are none.
func TestClients(t *testing.T) {
	var scripts string
	if why := nodeMissing(t); why == "" {
		scripts = install(t)
	} else {
		require.Empty(t, os.Getenv("CI"), "CI must test viem and ethers, but %s", why)
		loudly(t, "viem and ethers ARE NOT TESTED: %s. Install Node.js %d or later with npm.", why, minNode)
	}
	var (
		n    = boot(t, loadRate)
		keys = n.ends.Keys
	)
	if scripts != "" {
		t.Run("npm", func(t *testing.T) {
			for i, at := range n.nodes() {
				t.Run(at.name, func(t *testing.T) {
					t.Parallel() // of the other node; the two scripts follow one another
					script{dir: scripts, name: "viem.mjs", at: at, keys: keys[3*i : 3*i+3]}.run(t, n)
					script{dir: scripts, name: "ethers.mjs", at: at, keys: keys[3*i : 3*i+2]}.run(t, n)
				})
			}
		})
	}
	for i, at := range n.nodes() {
		t.Run("ethclient/"+at.name, func(t *testing.T) { testEthclient(t, n, at, keys[6+2*i:8+2*i]) })
	}

	// Without flashblocks, pending is latest. A follower cannot know at once that there will be none.
	_, err := n.StopSequencer(t.Context())
	require.NoError(t, err)
	status, err := n.SyncStatus(t.Context())
	require.NoError(t, err)
	least := status.UnsafeL2.Number // a block may still be on its way
	for i, at := range n.nodes() {
		client := at.dial(t)
		require.Eventually(t, func() bool { return at.position(t, client) == nil }, patience, 20*poll, "pending of the %s never ends", at.name)
		t.Run("stopped/"+at.name, func(t *testing.T) {
			harness.Eventually(t, "the head is op-node's", func() bool {
				latest, err := client.HeaderByNumber(t.Context(), nil)
				if err != nil || latest.Number.Uint64() < least {
					return false
				}
				status, err := n.SyncStatus(t.Context())
				return err == nil && status.UnsafeL2.Hash == latest.Hash()
			})
			if scripts == "" {
				return
			}
			script{dir: scripts, name: "viem.mjs", at: at, keys: keys[3*i : 3*i+3], idle: true}.run(t, n)
			script{dir: scripts, name: "ethers.mjs", at: at, keys: keys[3*i : 3*i+2], idle: true}.run(t, n)
		})
	}
}
