// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
)

// A chain that was not prepared has blocks without states, and on a young one op-geth waits for peers. Nothing is VALID then that
// cannot be built upon. Prepared, it comes back by what is in its database alone, without a journal as well.
func TestNeverValidWithoutState(t *testing.T) {
	t.Parallel()
	s := newSource(t, 2)
	blocks := s.blocks(60)
	file := writeBlocks(t, blocks)
	for _, m := range allModes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			crashed(t, childConfig{Dir: dir, Blocks: file, Genesis: s.Genesis, Mode: m, Unsafe: true})
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "geth", journalDir)))

			stack, cfg, err := newStack(dir, m, s.Genesis)
			require.NoError(t, err)
			n, err := assemble(stack, cfg)
			require.NoError(t, err)
			defer n.close()
			n.unsafe = true
			t.Logf("back at %d", n.chain().CurrentBlock().Number)
			stored := 0 // the end may be lost, as there is no journal
			for stored < len(blocks)-1 && n.chain().HasBlock(blocks[stored].Hash(), blocks[stored].NumberU64()) {
				stored++
			}
			require.Greater(t, stored, 20)
			canonical := n.chain().CurrentHeader().Number.Uint64()
			for _, block := range blocks[stored-3 : stored] {
				status, err := n.newPayload(block)
				require.NoError(t, err)
				res, err := n.forkchoice(block, s.attributes(block.Header()))
				require.NoError(t, err)
				if !n.chain().HasState(block.Root()) {
					require.Equal(t, engine.SYNCING, status.Status)
					require.Equal(t, engine.STATUS_SYNCING, res)
					continue
				}
				require.Equal(t, engine.VALID, status.Status)
				require.Equal(t, engine.VALID, res.PayloadStatus.Status)
				n.requireBuilt(t, res, block)
			}
			n.close()

			require.NoError(t, os.RemoveAll(filepath.Join(dir, "geth", journalDir)))
			n = open(t, dir, m, s.Genesis)
			n.unsafe = true
			head := n.chain().CurrentBlock().Number.Uint64()
			require.GreaterOrEqual(t, head, canonical)
			for _, block := range blocks[head:] {
				require.NoError(t, n.extend(block, func() {}))
			}
			res, err := n.forkchoice(blocks[59], s.attributes(blocks[59].Header()))
			require.NoError(t, err)
			n.requireBuilt(t, res, blocks[59])
		})
	}
}

// requireBuilt requires that a forkchoice update has led to a payload on a block.
func (n *testNode) requireBuilt(t *testing.T, res engine.ForkChoiceResponse, parent *types.Block) {
	t.Helper()
	require.Equal(t, engine.VALID, res.PayloadStatus.Status)
	require.NotNil(t, res.PayloadID)
	envelope, err := n.keeper.ConsensusAPI().GetPayloadV4(*res.PayloadID)
	require.NoError(t, err)
	require.Equal(t, parent.Hash(), envelope.ExecutionPayload.ParentHash)
}

// op-geth tells what blocks change, and traces no transaction for that.
func TestNothingIsTraced(t *testing.T) {
	t.Parallel()
	s := newSource(t, 11)
	n := open(t, t.TempDir(), mode{Scheme: rawdb.PathScheme}, s.Genesis)
	require.NotNil(t, n.keeper.recorder)
	require.Nil(t, n.chain().GetVMConfig().Tracer)
	other := open(t, t.TempDir(), mode{Scheme: rawdb.HashScheme}, s.Genesis)
	require.Nil(t, other.keeper.recorder)
	require.Nil(t, other.chain().GetVMConfig().Tracer)

	stack, cfg, err := newStack(t.TempDir(), mode{Scheme: rawdb.PathScheme}, s.Genesis)
	require.NoError(t, err)
	cfg.VMTrace = "noop"
	require.NoError(t, Prepare(stack, cfg))
	require.Equal(t, "noop", cfg.VMTrace, "an operator's own tracer stays")
	require.NoError(t, stack.Close())
}

// What a killed node had time to write is applied, and all else is executed: the result is the same.
func TestStatesComeFromTheJournal(t *testing.T) {
	t.Parallel()
	s := newSource(t, 12)
	blocks := s.blocks(50)
	file := writeBlocks(t, blocks)
	for name, bare := range map[string]bool{"journal": false, "no journal": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := childConfig{Dir: t.TempDir(), Blocks: file, Genesis: s.Genesis, Mode: mode{Scheme: rawdb.PathScheme}, Unsafe: true, Bare: bare}
			crashed(t, cfg)
			stack, ethCfg, err := newStack(cfg.Dir, cfg.Mode, s.Genesis)
			require.NoError(t, err)
			defer stack.Close()
			c, err := readContents(stack.ResolvePath(journalDir))
			require.NoError(t, err)
			chain, db, closeAll, err := openChain(stack, ethCfg)
			require.NoError(t, err)
			r := &replay{chain: chain, db: db, journal: c, importing: new(sync.Mutex)}
			r.bringBack(c.heads)
			require.Equal(t, blocks[49].Hash(), chain.CurrentBlock().Hash())
			require.NoError(t, chain.TrieDB().VerifyState(blocks[49].Root()))
			require.Equal(t, 50, r.applied+r.executed)
			if bare {
				require.Zero(t, r.applied)
			} else {
				require.GreaterOrEqual(t, r.applied, 50-2*stateQueue)
			}
			require.NoError(t, closeAll())
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
			require.NotEqual(t, block.Hash(), c.heads.head)
		}))
		c, err := readContents(n.keeper.journal.dir)
		require.NoError(t, err)
		require.Equal(t, forkchoice{head: block.Hash(), safe: block.ParentHash(), finalized: block.ParentHash()}, c.heads)
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
			noted := func() int {
				n.keeper.journal.mu.Lock()
				defer n.keeper.journal.mu.Unlock()
				return n.keeper.journal.blocks
			}
			before := noted()
			status, err := n.newPayload(old)
			require.NoError(t, err)
			require.Equal(t, engine.VALID, status.Status)
			require.False(t, n.chain().HasState(old.Root()))
			require.Equal(t, before, noted())
			require.Equal(t, blocks[149].Hash(), n.chain().CurrentBlock().Hash())

			res, err := n.forkchoice(old, s.attributes(old.Header()))
			require.NoError(t, err)
			n.requireBuilt(t, res, old)
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

// States that were lost although the stop was in good order are made again.
func TestDamagedLayers(t *testing.T) {
	t.Parallel()
	s := newSource(t, 9)
	blocks := s.blocks(20)
	dir, m := t.TempDir(), mode{Scheme: rawdb.PathScheme}
	n := open(t, dir, m, s.Genesis)
	for _, block := range blocks {
		require.NoError(t, n.extend(block, func() {}))
	}
	n.close()
	layers := filepath.Join(dir, "geth", "triedb", "merkle.journal")
	info, err := os.Stat(layers)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(layers, info.Size()/2))

	n = open(t, dir, m, s.Genesis)
	require.Equal(t, blocks[19].Hash(), n.chain().CurrentBlock().Hash())
	require.True(t, n.chain().HasState(blocks[19].Root()))
}

// A damaged ancient store is said in one sentence, or does no harm.
func TestDamagedFreezers(t *testing.T) {
	t.Parallel()
	s := newSource(t, 10)
	blocks := s.blocks(30)
	file := writeBlocks(t, blocks)
	for name, files := range map[string][]string{
		"blocks": {"chain/bodies.0000.cdat"},
		"states": {"state/account.data.0000.cdat", "state/account.data.0000.rdat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := childConfig{Dir: t.TempDir(), Blocks: file, Genesis: s.Genesis, Mode: mode{Scheme: rawdb.PathScheme}}
			crashed(t, cfg)
			n, err := openNode(cfg.Dir, cfg.Mode, s.Genesis) // it freezes now
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				frozen, err := n.ethereum.ChainDb().Ancients()
				return err == nil && frozen > 10
			}, time.Minute, time.Millisecond)
			n.close()
			for _, name := range files {
				path := filepath.Join(cfg.Dir, "geth", "chaindata", "ancient", name)
				if info, err := os.Stat(path); err == nil {
					require.NoError(t, os.Truncate(path, info.Size()/2))
				}
			}
			_, said, err := runUntil(t, cfg, math.MaxInt, 0)
			if err != nil {
				t.Log(said)
				require.Regexp(t, "gap|ancient|freezer|histor", said)
			}
		})
	}
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
	require.NoError(t, Forget(stack, s.BlockChain()))
	require.NoError(t, stack.Close())
	require.NoDirExists(t, filepath.Join(dir, "geth", journalDir))
}

// The block on which a journal ends may be anywhere: above the head that op-geth finds, on another branch, or nowhere.
func TestRecoverBranches(t *testing.T) {
	t.Parallel()
	s := newSource(t, 8)
	blocks := s.blocks(12)
	file := writeBlocks(t, append(blocks, testFork(t, s, blocks[7])))
	const fork, last = 12, 11
	for name, test := range map[string]struct {
		heads []int
		want  int
	}{
		"a branch":                 {[]int{fork}, fork},
		"there and back":           {[]int{fork, last}, last},
		"twice":                    {[]int{fork, last, fork}, fork},
		"lower, on the same chain": {[]int{5}, last}, // which op-geth does not move to
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := childConfig{Dir: t.TempDir(), Blocks: file, Genesis: s.Genesis, Mode: mode{Scheme: rawdb.PathScheme}, Unsafe: true, Heads: test.heads}
			crashed(t, cfg)
			n := open(t, cfg.Dir, cfg.Mode, s.Genesis)
			all, err := readBlocks(file)
			require.NoError(t, err)
			require.Equal(t, all[test.want].Hash(), n.chain().CurrentBlock().Hash())
			require.True(t, n.chain().HasState(n.chain().CurrentBlock().Root))
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
