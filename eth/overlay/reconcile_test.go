// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

func newJovian(t testing.TB) *harness {
	t.Helper()
	return newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}})
}

// logs sends a transaction of an account that emits a log.
func (h *harness) logs(account int) {
	h.t.Helper()
	h.Send(h.Tx(account, h.TxPool().Nonce(h.Addrs[account]), 100, &testchain.LoggerAddr, 60_000, nil))
}

// slots builds n blocks on one another, each with a transaction.
func (h *harness) slots(n int) []slot {
	h.t.Helper()
	list := make([]slot, n)
	for i := range list {
		h.logs(0)
		list[i] = h.slot()
	}
	return list
}

// fork builds another block in the place of a canonical one, on the same parent, and makes it canonical at
// the sequencer.
func (h *harness) fork(of slot, salt byte) slot {
	h.t.Helper()
	parent := h.BlockChain().GetHeaderByHash(of.block.ParentHash())
	_, err := h.BlockChain().SetCanonical(h.BlockChain().GetBlockByHash(parent.Hash()))
	require.NoError(h.t, err)
	require.NoError(h.t, h.TxPool().Sync())
	args := h.Attributes(parent)
	args.Random = common.Hash{salt}
	return h.commit(h.build(args))
}

func numbers(list []*Snapshot) []uint64 {
	var out []uint64
	for _, s := range list {
		out = append(out, s.Number())
	}
	return out
}

// drain returns the events that wait.
func drain(sub *Subscription) []Event {
	var list []Event
	for {
		select {
		case ev, open := <-sub.Events():
			if !open {
				return list
			}
			list = append(list, ev)
		default:
			return list
		}
	}
}

// withdrawn returns the numbers of the blocks that events took back.
func withdrawn(events []Event) []uint64 {
	var out []uint64
	for _, ev := range events {
		out = append(out, numbers(ev.Withdrawn)...)
	}
	return out
}

func blocksOf(list []slot) []*types.Block {
	blocks := make([]*types.Block, len(list))
	for i, s := range list {
		blocks[i] = s.block
	}
	return blocks
}

// A block that comes before its parent is canonical stands on the pending parent, and moves onto the
// canonical one without being executed again.
func TestEarlyArrivalIsRebased(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(2)
	h.deliver(s[0].fbs...)
	sub := h.p.Subscribe()
	early := h.deliver(s[1].fbs[:3]...)
	require.Equal(t, s[0].block.NumberU64(), early.Parent.Number())
	require.Equal(t, h.Genesis.ToBlock().Hash(), early.Anchor().Hash())
	executed := h.steps.Load()

	rebased := h.land(s[0].block)
	require.Equal(t, executed, h.steps.Load(), "nothing is executed again")
	require.EqualValues(t, 1, h.p.metrics.rebased.Get())
	require.Nil(t, rebased.Parent)
	require.Equal(t, s[0].block.Hash(), rebased.Anchor().Hash())
	require.Equal(t, early.Txs, rebased.Txs)
	events := drain(sub)
	require.Len(t, events, 4, "three flashblocks and the rebase")
	require.False(t, events[3].Fresh)
	require.Empty(t, withdrawn(events))
	h.requirePrefix(h.BlockChain(), h.deliver(s[1].fbs[3:]...), s[1], 4)
	h.requireState(h.p.Snapshot(), s[1])
	h.requireRoots(h.p.Snapshot())
}

// requireRoots asserts that the accounts have the storage roots that the anchor gives them, without which
// whoever hashes the state finds tries that are not there.
func (h *harness) requireRoots(s *Snapshot) {
	h.t.Helper()
	have, err := s.State()
	require.NoError(h.t, err)
	anchor, err := h.follower.StateAt(s.Anchor().Root)
	require.NoError(h.t, err)
	for _, addr := range []common.Address{gethparams.BeaconRootsAddress, gethparams.HistoryStorageAddress, testchain.LoggerAddr} {
		require.Equal(h.t, anchor.GetStorageRoot(addr), have.GetStorageRoot(addr), addr)
	}
}

// If a tail of the parent was missed without a trace, the block on top was executed on the wrong state. It is
// executed again when the parent is canonical, and told anew only if that makes a difference.
func TestMissedTailIsExecutedAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		depends   bool
		withdrawn []uint64
	}{{"same outcome", false, nil}, {"other outcome", true, []uint64{2}}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newJovian(t)
			var first, second slot
			if test.depends {
				// The second block's transaction reverts or not depending on the first block's last one.
				h.Send(h.Tx(1, 0, 100, &testchain.StorageAddr, 60_000, testchain.Words(1, 1)))
				first = h.slot()
				h.Send(h.Tx(2, 0, 100, &testchain.StorageAddr, 60_000, testchain.Words(1, 0)))
			} else {
				h.Send(h.Tx(1, 0, 100, &testchain.LoggerAddr, 60_000, nil))
				first = h.slot()
				h.logs(2)
			}
			second = h.slot()
			sub := h.p.Subscribe()
			h.deliver(first.fbs[0]) // the transaction comes later
			require.Empty(t, first.fbs[0].Diff.Transactions[1:])
			wrong := h.deliver(unlink(second.fbs)...)
			require.EqualValues(t, 2, wrong.Number())
			h.requirePrefix(h.BlockChain(), h.land(first.block), second, 4)
			require.EqualValues(t, 1, h.p.metrics.partial.Get())
			events := drain(sub)
			require.Equal(t, test.withdrawn, withdrawn(events))
			require.Same(t, h.p.Snapshot(), events[len(events)-1].Snapshot)
			h.requireState(h.p.Snapshot(), second)
		})
	}
}

// unlink removes the link to the block before, as builders send it that do not keep track.
func unlink(fbs []*flashblocks.Flashblock) []*flashblocks.Flashblock {
	fbs = slices.Clone(fbs)
	cpy := *fbs[0]
	cpy.Metadata.PrevFlashblockID = nil
	fbs[0] = &cpy
	return fbs
}

// Reorganisations of the follower's chain.
func TestReorgs(t *testing.T) {
	t.Parallel()
	t.Run("preconfirmed block replaced", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(2)
		sub := h.p.Subscribe()
		h.deliver(s[0].fbs...)
		h.deliver(s[1].fbs...)
		drain(sub)
		replacement := h.fork(s[0], 7)
		require.Nil(t, h.land(replacement.block))
		require.Equal(t, []uint64{1, 2}, withdrawn(drain(sub)))
		require.EqualValues(t, 1, h.p.metrics.reorged.Get())
		next := h.slot()
		h.requirePrefix(h.BlockChain(), h.deliver(next.fbs...), next, 4)
	})
	t.Run("anchor replaced at the same height", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(2)
		h.land(s[0].block)
		sub := h.p.Subscribe()
		require.NotNil(t, h.deliver(s[1].fbs...))
		replacement := h.fork(s[0], 7)
		require.Nil(t, h.land(replacement.block))
		require.Equal(t, []uint64{2}, withdrawn(drain(sub)))
	})
	t.Run("tip goes down", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(3)
		h.land(s[0].block, s[1].block)
		require.NotNil(t, h.deliver(s[2].fbs...))
		sub := h.p.Subscribe()
		_, err := h.follower.SetCanonical(s[0].block)
		require.NoError(t, err)
		h.sync()
		require.Nil(t, h.p.Snapshot())
		require.Equal(t, []uint64{3}, withdrawn(drain(sub)))
		replacement := h.fork(s[1], 9)
		h.requirePrefix(h.BlockChain(), h.deliver(replacement.fbs...), replacement, 4)
	})
	t.Run("flashblocks of the replacement come before the tip goes down", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(2)
		h.land(blocksOf(s)...)
		replacement := h.fork(s[1], 9)
		require.Nil(t, h.deliver(replacement.fbs...))
		require.EqualValues(t, 5, h.p.metrics.superseded.Get())
		_, err := h.follower.SetCanonical(s[0].block)
		require.NoError(t, err)
		h.sync()
		h.requirePrefix(h.BlockChain(), h.p.Snapshot(), replacement, 4)
	})
	t.Run("deep", func(t *testing.T) {
		t.Parallel()
		h := newJovian(t)
		s := h.slots(7)
		h.land(blocksOf(s[:6])...)
		require.NotNil(t, h.deliver(s[6].fbs...))
		sub := h.p.Subscribe()
		chain := []slot{h.fork(s[1], 3)}
		chain = append(chain, h.slots(6)...)
		require.Nil(t, h.land(blocksOf(chain[:6])...))
		require.Equal(t, []uint64{7}, withdrawn(drain(sub)))
		h.requirePrefix(h.BlockChain(), h.deliver(chain[6].fbs...), chain[6], 4)
	})
}

// Several blocks may become canonical at once.
func TestBatchImport(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(6)
	for _, sl := range s[:4] {
		h.deliver(sl.fbs...)
	}
	sub := h.p.Subscribe()
	h.requirePrefix(h.BlockChain(), h.land(s[0].block, s[1].block), s[3], 4)
	require.Len(t, h.p.Snapshot().Ancestors(), 2)
	require.Nil(t, h.land(s[2].block, s[3].block, s[4].block), "beyond what is pending")
	require.Empty(t, withdrawn(drain(sub)))
	require.EqualValues(t, 1, h.p.metrics.rebased.Get())
	h.requirePrefix(h.BlockChain(), h.deliver(s[5].fbs...), s[5], 4)
}

// A pending block that was received in part is no reorganisation when the rest becomes canonical with it.
func TestPrefixIsNotReplaced(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(1)[0]
	sub := h.p.Subscribe()
	require.NotNil(t, h.deliver(s.fbs[0]))
	require.Nil(t, h.land(s.block))
	require.Empty(t, withdrawn(drain(sub)))
	require.Zero(t, h.p.metrics.reorged.Get())
	require.EqualValues(t, 1, h.p.metrics.partial.Get())
}
