// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// The snapshots of a builder node, which executes nothing again, equal those of a follower.
func TestBuiltEqualsExecuted(t *testing.T) {
	t.Parallel()
	for _, fork := range []testchain.Fork{testchain.Regolith, testchain.Ecotone, testchain.Jovian} {
		t.Run(fork.String(), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: fork}})
			second := h.NewChain()
			executing := h.newProcessor(second)
			sub := executing.Subscribe()
			mix, deploy := testchain.NewMix(h.Chain, int64(fork))
			h.Send(deploy...)
			for range 30 {
				h.Send(mix.Txs(12)...)
				s := h.slot(mix.Deposits()...)
				for i, built := range s.built {
					adopted := h.adopt(built)
					require.Nil(t, h.p.block.exec, "nothing is executed")
					h.requirePrefix(h.BlockChain(), adopted, s, i)
					require.True(t, executing.Deliver(t.Context(), s.fbs[i], adopted.Arrived))
					executed := h.next(sub).Snapshot
					require.Equal(t, executed.Header.Hash(), adopted.Header.Hash())
					require.Equal(t, executed.Receipts, adopted.Receipts)
					require.Equal(t, executed.Fresh(), adopted.Fresh())
					requireSameState(t, s, executed, adopted)
				}
				h.requireState(h.p.Snapshot(), s)
				require.Nil(t, h.land(s.block))
				testchain.Insert(t, second, s.block)
				require.Nil(t, h.next(sub).Snapshot)
			}
			require.Zero(t, h.p.metrics.reorged.Get()+h.p.metrics.partial.Get())
		})
	}
}

func requireSameState(t *testing.T, sl slot, a, b *Snapshot) {
	t.Helper()
	keys := newKeys()
	for _, built := range sl.built {
		keys.add(built.Diff)
	}
	want, err := a.State()
	require.NoError(t, err)
	have, err := b.State()
	require.NoError(t, err)
	keys.requireEqual(t, want, have)
}

// Own flashblocks that come back through the stream are duplicates; if the stream takes over within a block,
// the block is executed from its start without being told again.
func TestBuiltAndStreamMixed(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(2)
	h.adopt(s[0].built[:2]...)
	before := h.p.Snapshot()
	require.Same(t, before, h.deliver(s[0].fbs[:2]...))
	sub := h.p.Subscribe()
	h.requirePrefix(h.BlockChain(), h.deliver(s[0].fbs[2]), s[0], 2)
	h.requirePrefix(h.BlockChain(), h.adopt(s[0].built[3:]...), s[0], 4)
	h.requireState(h.p.Snapshot(), s[0])
	events := drain(sub)
	require.Empty(t, withdrawn(events))
	var fresh []uint64
	for _, ev := range events {
		if ev.Fresh {
			fresh = append(fresh, ev.Snapshot.Index)
		}
	}
	require.Equal(t, []uint64{2, 3, 4}, fresh)
	h.requirePrefix(h.BlockChain(), h.adopt(s[1].built...), s[1], 4)
	h.requireState(h.p.Snapshot(), s[1])
}

// The builder never waits: what the queue cannot take is lost, and the block stays a prefix.
func TestBuiltOverflow(t *testing.T) {
	t.Parallel()
	gate, blocked := make(chan struct{}), make(chan struct{}, 1)
	h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}, before: func(uint64) {
		select {
		case blocked <- struct{}{}:
			<-gate
		default:
		}
	}})
	s := h.slots(2)
	require.True(t, h.p.DeliverBuilt(s[0].built[0]))
	<-blocked
	for range inputQueue {
		require.True(t, h.p.DeliverBuilt(s[0].built[0]))
	}
	require.False(t, h.p.DeliverBuilt(s[0].built[1]), "full")
	require.EqualValues(t, 1, h.p.metrics.overflows.Get())
	h.delivered = inputQueue + 1
	close(gate)
	h.sync()
	require.True(t, h.adopt(s[0].built[2:]...).Incomplete)
	h.requirePrefix(h.BlockChain(), h.p.Snapshot(), s[0], 0)
	h.land(s[0].block)
	h.requirePrefix(h.BlockChain(), h.adopt(s[1].built...), s[1], 4)
}
