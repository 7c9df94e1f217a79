// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Blocks that are compared. The acceptance asks for 200.
const (
	lockstepBlocks      = 210
	lockstepBlocksShort = 30
)

// Every answer at pending is what the canonical block says: on the builder, on a follower, and on a
// follower whose connection is cut at random; with canonical blocks that come early or late, payloads
// that are abandoned, blocks that are sealed early, and transactions that do everything to the state.
func TestCompareLockstep(t *testing.T) {
	blocks := lockstepBlocks
	if testing.Short() {
		blocks = lockstepBlocksShort
	}
	n := newNetwork(t, 1, 0)
	for _, s := range n.subjects() {
		s.installFilter(t.Context())
	}
	for n.judge.blocks < blocks {
		n.slot()
		if len(n.judge.difference) > maxDifferences {
			break
		}
	}
	t.Logf("the connection of the cut follower was cut %d times", n.cutter.Cuts())
	n.judge.report("builder", "follower", "cut follower")
	for _, s := range n.subjects() {
		t.Logf("a polled filter of %s told %d logs, and %d as removed", s.name, s.filter.got, s.filter.lost)
		require.NotZero(t, s.filter.got)
		require.NotZero(t, s.filter.lost, "logs of abandoned payloads")
	}
	require.NotZero(t, n.judge.chained, "no answer came from a block on a pending parent")
	require.NotZero(t, n.judge.abandoned, "no payload was abandoned")
	require.NotZero(t, n.judge.graphs, "no answer of GraphQL was compared")
	require.Greater(t, n.cutter.Cuts(), blocks/20)
}

// slot builds a block and asks about every flashblock of it.
func (n *network) slot() {
	n.t.Helper()
	if n.sequencer.eth.BlockChain().CurrentBlock().Number.Sign() == 0 {
		n.deploy()
	}
	args, fb := n.begin()
	last := 2 + n.rng.Uint64N(4) // five at most
	for {
		for _, f := range n.followers {
			if fb.Index >= 2 || n.rng.IntN(2) == 0 {
				f.catchUp()
			}
		}
		if fb.Index > 0 || n.rng.IntN(2) == 0 {
			n.record(fb)
		}
		if fb.Index >= last {
			break
		}
		if fb.Index == 2 && n.rng.IntN(12) == 0 {
			args, fb = n.begin()
			continue
		}
		n.send(n.rng.IntN(7))
		if n.rng.IntN(20) == 0 {
			n.cutter.Cut()
		}
		fb = n.await()
	}
	n.seal(fb.PayloadID, args)
}

// deploy sends what the transactions of the mix call.
func (n *network) deploy() {
	n.t.Helper()
	n.chain.Send(n.deployment...)
	for _, err := range n.sequencer.eth.TxPool().Add(n.deployment, true) {
		require.NoError(n.t, err)
	}
}
