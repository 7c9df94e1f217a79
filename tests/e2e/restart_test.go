// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// TestRestart ends the node in the middle of a block, once as a crash and once as an operator does. The
// same op-node goes on with the restarted node. What was published of the block is lost with the memory
// of the node; it must not come back with another content under the same payload id, because whoever
// follows the stream could not tell the two apart.
func TestRestart(t *testing.T) {
	t.Parallel()
	n := boot(t, options{load: 50})
	n.awaitHead(4)
	next := n.firstRecorded()
	for _, way := range []struct {
		name string
		end  func() error
	}{
		{"SIGKILL", func() error { n.KillNode(); return nil }},
		{"SIGINT", n.StopNode},
	} {
		// Index 2 leaves more than half of the slot, so that its block is not sealed when the node ends,
		// unless this process was kept waiting. Then once more.
		for abandoned := 0; abandoned == 0; {
			last := n.head()
			sealed := n.hashes(last)
			number := n.recorder.Await("the middle of a block", nonEmpty(2)).Metadata.BlockNumber
			require.NoError(t, way.end())
			n.recorder.AwaitQuiet()
			number = max(number, newest(n.recorder))
			lost := n.recorder.At(number)
			t.Logf("%s while block %d is under construction; published of it: %s", way.name, number, describe(lost))
			unseen := n.revive()
			first := min(next, number)
			if unseen {
				first = n.firstSeen(number, lost)
			}
			n.awaitHead(max(number, first) + 5)
			require.Equal(t, sealed, n.hashes(last), "sealed blocks that are others now")
			list := n.audit(first, n.head())
			f := n.summarise(list)
			next = list[len(list)-1].block.NumberU64() + 1
			t.Logf("after %s: %s abandoned", way.name, plural(f.abandoned, "attempt"))
			abandoned = requireAccounted(t, lost, list)
		}
	}
}

// startGrace is less than what the node lets a consensus client wait for the builder while it starts. If that
// takes longer, op-geth's miner has the first payloads, and no subscriber hears of them.
const startGrace = time.Second

// revive starts the node again after a crash or a stop. It must know the block that op-node takes for the head: op-node
// goes on by itself.
//
// It tells whether the first blocks after the start may be unseen: a node that starts slowly has not built
// them itself, and what is published for a number before its position a subscriber that resumes does not hear.
func (n *network) revive() (unseen bool) {
	n.t.Helper()
	known, err := n.SyncStatus(n.t.Context())
	require.NoError(n.t, err)
	begin := time.Now()
	require.NoError(n.t, n.StartNode(n.t.Context()))
	harness.Eventually(n.t, "the restarted node streams", n.recorder.Connected)
	unseen = time.Since(begin) > startGrace
	header, err := n.eth.HeaderByHash(n.t.Context(), known.UnsafeL2.Hash)
	require.NoError(n.t, err)
	require.Equal(n.t, known.UnsafeL2.Number, header.Number.Uint64())
	return unseen
}

// firstSeen waits for the first block from number on of which a restarted node has published something, beside
// what was lost with it before.
func (n *network) firstSeen(number uint64, lost []attempt) (first uint64) {
	n.t.Helper()
	harness.Eventually(n.t, "the restarted node publishes", func() bool {
		for first = number; first <= newest(n.recorder); first++ {
			for _, a := range n.recorder.At(first) {
				if !slices.ContainsFunc(lost, func(b attempt) bool { return b.ID == a.ID }) {
					return true
				}
			}
		}
		return false
	})
	if first > number {
		n.t.Logf("nobody was told of the blocks from %d to %d, which were built while the node started", number, first-1)
	}
	return first
}

// hashes returns the canonical hashes of the blocks from 1 to last.
func (n *network) hashes(last uint64) []common.Hash {
	n.t.Helper()
	var list []common.Hash
	for number := uint64(1); number <= last; number++ {
		list = append(list, n.block(number).Hash())
	}
	return list
}

// requireAccounted checks what became of the attempts that were lost with the node: another payload id
// was sealed at their number, and theirs was abandoned as it stood; or theirs was sealed as it stood,
// because op-node had asked for it before. It counts the abandoned ones.
func requireAccounted(t *testing.T, lost []attempt, list []audited) (abandoned int) {
	t.Helper()
	require.NotEmpty(t, lost)
	for _, a := range lost {
		if a.Number < list[0].block.NumberU64() {
			abandoned++ // built by op-geth's miner while the node started
			continue
		}
		i := int(a.Number - list[0].block.NumberU64())
		require.Less(t, i, len(list))
		if sealed := list[i].attempt; sealed.ID == a.ID {
			require.Len(t, sealed.Flashblocks, len(a.Flashblocks), "flashblocks of payload %s that came after the restart", a.ID)
			continue
		}
		found := false
		for _, other := range list[i].abandoned {
			if other.ID == a.ID {
				require.Len(t, other.Flashblocks, len(a.Flashblocks), "flashblocks of payload %s that came after the restart", a.ID)
				found = true
			}
		}
		require.True(t, found, "payload %s, published before the restart, is abandoned", a.ID)
		abandoned++
	}
	return abandoned
}
