// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
)

// patience bounds how long a test waits for what must happen.
const patience = 2 * time.Minute

// A node whose chain was not prepared, because its journal is gone, says SYNCING of what has no state. It makes the states from
// its database alone, and what it says VALID of can be built upon.
func TestNeverValidWithoutState(t *testing.T) {
	t.Parallel()
	s := newSource(t, 2)
	blocks := s.blocks(60)
	for _, m := range allModes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			killed := open(t, t.TempDir(), m, s.Genesis)
			for _, block := range blocks {
				require.NoError(t, killed.extend(block, func() {}))
			}
			dir := killed.image(t)
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "geth", journalDir)))
			n := open(t, dir, m, s.Genesis)
			last := blocks[len(blocks)-1]
			t.Logf("back at %d", n.chain().CurrentBlock().Number)

			for _, block := range blocks[55:] {
				status, err := n.newPayload(block)
				require.NoError(t, err)
				if status.Status != engine.SYNCING {
					require.Equal(t, engine.VALID, status.Status)
					require.True(t, n.chain().HasState(block.Root()))
				}
			}
			var res engine.ForkChoiceResponse
			require.Eventually(t, func() bool {
				var err error
				res, err = n.forkchoice(last, s.attributes(last.Header()))
				require.NoError(t, err)
				if res.PayloadStatus.Status == engine.SYNCING {
					require.Nil(t, res.PayloadID)
					return false
				}
				require.Equal(t, engine.VALID, res.PayloadStatus.Status)
				return true
			}, patience, time.Millisecond)
			require.Equal(t, last.Hash(), n.chain().CurrentBlock().Hash())
			require.True(t, n.chain().HasState(last.Root()))
			envelope, err := n.keeper.ConsensusAPI().GetPayloadV4(*res.PayloadID)
			require.NoError(t, err)
			require.Equal(t, last.Hash(), envelope.ExecutionPayload.ParentHash)
		})
	}
}

// What is answered VALID is in the journal by then.
func TestJournalComesFirst(t *testing.T) {
	t.Parallel()
	s := newSource(t, 3)
	n := open(t, t.TempDir(), mode{Scheme: rawdb.PathScheme}, s.Genesis)
	for _, block := range s.blocks(5) {
		require.NoError(t, n.extend(block, func() {
			c, err := readContents(n.keeper.journal.dir)
			require.NoError(t, err)
			require.NotNil(t, c.block(block.Hash()))
			require.NotEqual(t, block.Hash(), c.heads.Head)
		}))
		c, err := readContents(n.keeper.journal.dir)
		require.NoError(t, err)
		require.Equal(t, Heads{Head: block.Hash(), Safe: block.ParentHash(), Finalized: block.ParentHash()}, c.heads)
	}
}

// Of an old block below the head VALID is the truth although its state is gone, and nothing is executed for it. When the
// consensus client goes back to it, as it does when the L1 reorganises deeply, the state is there and a block is built.
func TestOldBlocks(t *testing.T) {
	t.Parallel()
	s := newSource(t, 4)
	blocks := s.blocks(150)
	for _, m := range []mode{{Scheme: rawdb.PathScheme}, {Scheme: rawdb.HashScheme}} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			n := open(t, t.TempDir(), m, s.Genesis)
			for _, block := range blocks {
				require.NoError(t, n.extend(block, func() {}))
			}
			old := blocks[9]
			require.False(t, n.chain().HasState(old.Root()))
			size := n.keeper.journal.good
			status, err := n.newPayload(old)
			require.NoError(t, err)
			require.Equal(t, engine.VALID, status.Status)
			require.False(t, n.chain().HasState(old.Root()))
			require.Equal(t, size, n.keeper.journal.good)
			require.Equal(t, blocks[149].Hash(), n.chain().CurrentBlock().Hash())

			res, err := n.forkchoice(old, s.attributes(old.Header()))
			require.NoError(t, err)
			require.Equal(t, engine.VALID, res.PayloadStatus.Status)
			require.NotNil(t, res.PayloadID)
			envelope, err := n.keeper.ConsensusAPI().GetPayloadV4(*res.PayloadID)
			require.NoError(t, err)
			require.Equal(t, old.Hash(), envelope.ExecutionPayload.ParentHash)
			require.NoError(t, n.extend(blocks[10], func() {}), "the chain goes on from there")
		})
	}
}

// An orderly stop keeps the head, with nothing to be made again; so does the state of a block that was VALID and is not the
// head yet, which op-geth forgets.
func TestOrderlyStop(t *testing.T) {
	t.Parallel()
	s := newSource(t, 5)
	blocks := s.blocks(40)
	for _, m := range allModes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			n := open(t, dir, m, s.Genesis)
			for _, block := range blocks[:39] {
				require.NoError(t, n.extend(block, func() {}))
			}
			status, err := n.newPayload(blocks[39])
			require.NoError(t, err)
			require.Equal(t, engine.VALID, status.Status)
			n.close()

			c, err := readContents(filepath.Join(dir, "geth", journalDir))
			require.NoError(t, err)
			require.True(t, c.closed)
			n = open(t, dir, m, s.Genesis)
			require.Equal(t, blocks[38].Hash(), n.chain().CurrentBlock().Hash())
			require.Equal(t, blocks[37].Hash(), n.chain().CurrentSafeBlock().Hash())
			require.True(t, n.chain().HasState(blocks[39].Root()))
			res, err := n.forkchoice(blocks[39], nil)
			require.NoError(t, err)
			require.Equal(t, engine.VALID, res.PayloadStatus.Status)
		})
	}
}

// A stop that could not bring the states to the disk is no orderly one, whatever the node says.
func TestStopWithoutRoom(t *testing.T) {
	t.Parallel()
	s := newSource(t, 6)
	blocks := s.blocks(20)
	dir := t.TempDir()
	n := open(t, dir, mode{Scheme: rawdb.PathScheme}, s.Genesis)
	for _, block := range blocks {
		require.NoError(t, n.extend(block, func() {}))
	}
	// A directory in its place keeps op-geth from writing its layers, as a full disk does.
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "geth", "triedb", "merkle.journal.tmp"), 0o700))
	n.close()
	require.NoError(t, os.Remove(filepath.Join(dir, "geth", "triedb", "merkle.journal.tmp")))

	c, err := readContents(filepath.Join(dir, "geth", journalDir))
	require.NoError(t, err)
	require.False(t, c.closed)
	n = open(t, dir, mode{Scheme: rawdb.PathScheme}, s.Genesis)
	require.Equal(t, blocks[19].Hash(), n.chain().CurrentBlock().Hash())
	require.True(t, n.chain().HasState(blocks[19].Root()))
}

// A node that runs without the journal for a while does not come back to what it said before.
func TestForget(t *testing.T) {
	t.Parallel()
	s := newSource(t, 7)
	dir := t.TempDir()
	n := open(t, dir, mode{Scheme: rawdb.PathScheme}, s.Genesis)
	require.NoError(t, n.extend(s.block(), func() {}))
	n.close()
	stack, _, err := newStack(dir, mode{Scheme: rawdb.PathScheme}, s.Genesis)
	require.NoError(t, err)
	require.NoError(t, Forget(stack))
	require.NoError(t, stack.Close())
	require.NoDirExists(t, filepath.Join(dir, "geth", journalDir))
}

// The block on which a journal ends may be anywhere: above the head that op-geth finds, on another branch, or nowhere.
func TestRecoverBranches(t *testing.T) {
	t.Parallel()
	s := newSource(t, 8)
	blocks := s.blocks(12)
	fork := testFork(t, s, blocks[7])
	for name, heads := range map[string][]*types.Block{
		"a branch":                 {fork},
		"there and back":           {fork, blocks[11]},
		"a branch of a branch":     {blocks[11], fork},
		"lower, on the same chain": {blocks[5]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := open(t, t.TempDir(), mode{Scheme: rawdb.PathScheme}, s.Genesis)
			for _, block := range blocks {
				require.NoError(t, n.extend(block, func() {}))
			}
			_, err := n.newPayload(fork)
			require.NoError(t, err)
			for _, head := range heads {
				_, err := n.forkchoice(head, nil)
				require.NoError(t, err)
			}
			want := n.chain().CurrentBlock().Hash() // which an update to an ancestor does not move
			again := open(t, n.image(t), mode{Scheme: rawdb.PathScheme}, s.Genesis)
			require.Equal(t, want, again.chain().CurrentBlock().Hash())
			require.True(t, again.chain().HasState(again.chain().CurrentBlock().Root))
		})
	}
}

// testFork returns another child of the parent.
func testFork(t *testing.T, s *source, parent *types.Block) *types.Block {
	t.Helper()
	args := s.Attributes(parent.Header(), s.Mark(77))
	args.NoTxPool = true
	payload, err := s.miner.BuildPayload(t.Context(), args, false)
	require.NoError(t, err)
	return s.Block(payload.ResolveFull(), args)
}
