// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// A new payload id replaces the attempt, whatever its index 0 holds.
func TestNewAttemptReplaces(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	h.logs(1)
	args := h.Attributes(h.BlockChain().CurrentBlock())
	old := h.build(args)
	args = h.Attributes(h.BlockChain().CurrentBlock())
	args.Random = common.Hash{5}
	replacement := h.commit(h.build(args))
	sub := h.p.Subscribe()
	first := h.deliver(old.fbs...)
	require.Equal(t, old.fbs[0].PayloadID, first.PayloadID)
	for i, fb := range replacement.fbs {
		h.requirePrefix(h.BlockChain(), h.deliver(fb), replacement, i)
	}
	events := drain(sub)
	require.Equal(t, []uint64{1}, withdrawn(events))
	require.Same(t, first, events[len(old.fbs)].Withdrawn[0])
	require.Equal(t, replacement.fbs[0].PayloadID, events[len(old.fbs)].Snapshot.PayloadID, "told with what takes its place")
	require.Same(t, h.p.Snapshot(), h.deliver(old.fbs[3]), "late flashblocks of the old attempt are ignored")
	require.Nil(t, h.land(replacement.block))
}

// Attempts at a block on a pending parent do not see each other's state.
func TestNewAttemptOnPendingParent(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	parent := h.slots(1)[0]
	h.logs(1)
	old := h.build(h.Attributes(h.BlockChain().CurrentBlock()))
	args := h.Attributes(h.BlockChain().CurrentBlock())
	args.Random = common.Hash{5}
	replacement := h.commit(h.build(args))
	h.deliver(parent.fbs...)
	before := h.deliver(old.fbs...)
	h.requirePrefix(h.BlockChain(), h.deliver(replacement.fbs...), replacement, 4)
	h.requireState(h.p.Snapshot(), replacement)
	require.NotSame(t, before.store, h.p.Snapshot().store)
}

// A transaction of a type that op-geth does not know, or knows and does not execute, as PostExec (0x7d): the block is given up once, told as withdrawn, and pending is latest, at whatever index it comes.
// That is no divergence, and the chain goes on from the next canonical block.
func TestUnknownTransactionType(t *testing.T) {
	t.Parallel()
	postExec, err := types.NewTx(&types.PostExecTx{Data: []byte{0xc0}}).MarshalBinary()
	require.NoError(t, err)
	for i, raw := range [][]byte{postExec, {0x7c, 0xc0}, postExec, {0x7c, 0xc0}} {
		index := []int{0, 0, 1, 4}[i]
		h := newJovian(t)
		s := h.slots(3)
		h.deliver(s[0].fbs...)
		parent := h.p.Snapshot()
		sub := h.p.Subscribe()
		foreign := *s[1].fbs[index]
		foreign.Diff.Transactions = append(slices.Clone(foreign.Diff.Transactions), raw)
		h.deliver(s[1].fbs[:index]...)
		require.Same(t, parent, h.deliver(&foreign), "the parent, which is pending itself")
		require.Same(t, parent, h.deliver(s[1].fbs[index+1:]...))
		require.EqualValues(t, 1, h.p.metrics.unsupported.Get())
		require.EqualValues(t, 1, h.p.metrics.failures.Get())
		if index > 0 {
			require.Equal(t, []uint64{s[1].block.NumberU64()}, withdrawn(drain(sub)))
		}
		require.Nil(t, h.land(s[0].block), "pending is latest")
		require.Nil(t, h.deliver(s[2].fbs[:2]...), "its parent is not known")
		h.requirePrefix(h.BlockChain(), h.land(s[1].block), s[2], 1)
		h.requirePrefix(h.BlockChain(), h.deliver(s[2].fbs[2:]...), s[2], 4)
		require.EqualValues(t, 1, h.p.metrics.unsupported.Get())
		for field, c := range h.p.metrics.diverged {
			require.Zero(t, c.Get(), field)
		}
	}
}

func TestDuplicatesAndConflicts(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(1)[0]
	snapshot := h.deliver(s.fbs[:2]...)
	sub := h.p.Subscribe()
	require.Same(t, snapshot, h.deliver(s.fbs[0], s.fbs[1]))
	other := *s.fbs[1]
	other.Diff.GasUsed++
	require.Same(t, snapshot, h.deliver(&other))
	require.Empty(t, drain(sub))
	require.EqualValues(t, 2, h.p.metrics.outcomes[flashblocks.Duplicate].Get())
	require.EqualValues(t, 1, h.p.metrics.outcomes[flashblocks.Conflict].Get())
	h.requirePrefix(h.BlockChain(), h.deliver(s.fbs[2:]...), s, 4)
}

// A gap keeps the last good prefix, marked, until the stream resumes or the block is canonical.
func TestGap(t *testing.T) {
	t.Parallel()
	t.Run("resumed", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(1)[0]
		h.deliver(s.fbs[:2]...)
		incomplete := h.deliver(s.fbs[3])
		h.requirePrefix(h.BlockChain(), incomplete, s, 1)
		require.True(t, incomplete.Incomplete)
		for i, fb := range s.fbs[2:] {
			resumed := h.deliver(fb)
			h.requirePrefix(h.BlockChain(), resumed, s, i+2)
			require.False(t, resumed.Incomplete)
		}
	})
	t.Run("not resumed", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(2)
		h.deliver(s[0].fbs[:2]...)
		h.deliver(s[0].fbs[3])
		waiting := h.deliver(s[1].fbs[:2]...)
		require.EqualValues(t, 1, waiting.Number(), "what cannot be executed yet does not disturb what is there")
		require.True(t, waiting.Incomplete)
		require.EqualValues(t, 1, h.p.metrics.parked.Get())
		h.requirePrefix(h.BlockChain(), h.land(s[0].block), s[1], 1)
		h.requirePrefix(h.BlockChain(), h.deliver(s[1].fbs[2:]...), s[1], 4)
	})
	t.Run("in a block that waits", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(3)
		h.deliver(s[0].fbs...)
		h.deliver(s[2].fbs[0], s[2].fbs[2])
		require.False(t, h.p.Snapshot().Incomplete, "nothing is missing of the block that is shown")
		h.requirePrefix(h.BlockChain(), h.p.Snapshot(), s[0], 4)
		require.Zero(t, h.p.metrics.interrupted.Get())
	})
	t.Run("start of the next block missed and replayed", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(2)
		h.deliver(s[0].fbs...)
		require.True(t, h.deliver(s[1].fbs[2]).Incomplete)
		replayed := *s[1].fbs[0]
		replayed.Metadata.PrevFlashblockID = &flashblocks.FlashblockID{BlockNumber: 1, Index: 4}
		h.requirePrefix(h.BlockChain(), h.deliver(&replayed), s[1], 0)
		h.requirePrefix(h.BlockChain(), h.deliver(s[1].fbs[1:]...), s[1], 4)
	})
}

// Blocks whose parent is not known wait; they are executed, in order, when it is.
func TestUnknownParentWaits(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(4)
	require.Nil(t, h.deliver(s[2].fbs[:3]...))
	require.Nil(t, h.land(s[0].block))
	h.requirePrefix(h.BlockChain(), h.land(s[1].block), s[2], 2)
	h.requirePrefix(h.BlockChain(), h.deliver(s[2].fbs[3:]...), s[2], 4)
	require.EqualValues(t, 1, h.p.metrics.parked.Get())
}

// A node that syncs keeps the block in progress, and nothing else.
func TestSyncingNode(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(30)
	sub := h.p.Subscribe()
	for i, sl := range s[:29] {
		require.Nil(t, h.deliver(sl.fbs[1:]...), "without a start")
		require.Nil(t, h.deliver(s[i+1].fbs...))
		require.LessOrEqual(t, len(h.p.items), 5)
	}
	require.Empty(t, drain(sub))
	require.Nil(t, h.land(blocksOf(s[:20])...))
	h.requirePrefix(h.BlockChain(), h.land(blocksOf(s[20:29])...), s[29], 4)
}

// Whatever a hostile upstream sends, the last good snapshot stays and the next block is served.
func TestBadFlashblocks(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	blob, err := types.NewTx(&types.BlobTx{}).MarshalBinary()
	require.NoError(t, err)
	unpayable, err := h.Tx(1, 99, 1, &testchain.LoggerAddr, 60_000, nil).MarshalBinary()
	require.NoError(t, err)
	for name, spoil := range map[string]func(first, second *flashblocks.Flashblock){
		"no transaction":       func(_, f *flashblocks.Flashblock) { f.Diff.Transactions = [][]byte{{0xff, 1}} },
		"empty bytes":          func(_, f *flashblocks.Flashblock) { f.Diff.Transactions = [][]byte{{}} },
		"blob transaction":     func(_, f *flashblocks.Flashblock) { f.Diff.Transactions = [][]byte{blob} },
		"nonce too high":       func(_, f *flashblocks.Flashblock) { f.Diff.Transactions = [][]byte{unpayable} },
		"no deposits":          func(f, _ *flashblocks.Flashblock) { f.Diff.Transactions = nil },
		"first does not parse": func(f, _ *flashblocks.Flashblock) { f.Diff.Transactions = [][]byte{{0x7e}} },
		"no base fee":          func(f, _ *flashblocks.Flashblock) { f.Base.BaseFeePerGas = nil },
		"no beacon root":       func(f, _ *flashblocks.Flashblock) { f.Base.ParentBeaconBlockRoot = nil },
		"old timestamp":        func(f, _ *flashblocks.Flashblock) { f.Base.Timestamp = 1 },
		"gas limit":            func(f, _ *flashblocks.Flashblock) { f.Base.GasLimit = 1 << 63 },
		"number":               func(f, _ *flashblocks.Flashblock) { f.Base.BlockNumber = 1 << 62; f.Metadata.BlockNumber = 1 << 62 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newJovian(t)
			s := h.slots(2)
			first, second := *s[0].fbs[0], *s[0].fbs[1]
			base := *first.Base
			first.Base = &base
			spoil(&first, &second)
			h.deliver(&first, &second)
			require.EqualValues(t, 1, h.p.metrics.failures.Get()+h.p.metrics.parked.Get())
			if snapshot := h.p.Snapshot(); snapshot != nil {
				h.requirePrefix(h.BlockChain(), snapshot, s[0], 0)
				require.True(t, snapshot.Incomplete)
			}
			h.land(s[0].block)
			h.requirePrefix(h.BlockChain(), h.deliver(s[1].fbs...), s[1], 4)
		})
	}
}

// BLOCKHASH and the history contract know the hashes of pending parents.
func TestHashesOfPendingParents(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(4)
	var nonce uint64
	for n := range uint64(5) {
		h.Send(h.Tx(1, nonce, 100, &testchain.HasherAddr, 60_000, testchain.Words(n)))
		nonce++
	}
	s = append(s, h.slot())
	for _, sl := range s {
		h.requirePrefix(h.BlockChain(), h.deliver(sl.fbs...), sl, 4) // the logs hold the hashes
	}
	tip := h.p.Snapshot()
	require.Len(t, tip.Ancestors(), 5)
	require.Equal(t, s[3].block.Hash(), tip.Header.ParentHash)
	require.EqualValues(t, 4, tip.AncestorHeader(s[3].block.Hash()).Number.Uint64())
	require.EqualValues(t, 1, tip.AncestorHeader(s[0].block.Hash()).Number.Uint64())
	require.Nil(t, tip.AncestorHeader(h.Genesis.ToBlock().Hash()))
	h.requireState(tip, s[4])
	found, i, ok := tip.Find(s[1].block.Transactions()[1].Hash())
	require.True(t, ok)
	require.EqualValues(t, 2, found.Number())
	require.Equal(t, 1, i)
}
