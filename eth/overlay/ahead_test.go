// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// newBusy returns a harness whose processor waits within its first step until it is released.
func newBusy(t *testing.T) (h *harness, busy <-chan struct{}, release func()) {
	t.Helper()
	gate, blocked := make(chan struct{}), make(chan struct{})
	var first sync.Once
	h = newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}, before: func(uint64) {
		first.Do(func() {
			close(blocked)
			<-gate
		})
	}})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	return h, blocked, release
}

// attempts builds n attempts at the next block, the last of which becomes canonical.
func (h *harness) attempts(n int) []slot {
	h.t.Helper()
	h.logs(1)
	list := make([]slot, n)
	for i := range list {
		args := h.Attributes(h.BlockChain().CurrentBlock())
		args.Random = common.Hash{byte(i + 1)}
		list[i] = h.build(args)
	}
	h.commit(list[n-1])
	return list
}

// What waits of an attempt that is replaced further behind in the queue is not executed; what begins the next
// block drops nothing of the one before.
func TestReplacedAttemptsAreNotExecuted(t *testing.T) {
	t.Parallel()
	t.Run("the attempt in progress", func(t *testing.T) {
		t.Parallel()
		h, busy, release := newBusy(t)
		sub := h.p.Subscribe()
		at := h.attempts(3)
		h.send(at[0].fbs...)
		<-busy
		h.send(at[1].fbs...)
		h.send(at[2].fbs...)
		release()
		h.sync()
		h.requirePrefix(h.BlockChain(), h.p.Snapshot(), at[2], 4)
		h.requireState(h.p.Snapshot(), at[2])
		require.EqualValues(t, 1+5, h.steps.Load())
		require.EqualValues(t, 4+5, h.p.metrics.superseded.Get())
		events := drain(sub)
		require.Equal(t, []uint64{1}, withdrawn(events), "only index 0 of the first attempt was told")
		require.Len(t, events, 1+5)
	})
	t.Run("an attempt at the block after", func(t *testing.T) {
		t.Parallel()
		h, busy, release := newBusy(t)
		parent := h.slots(1)[0]
		at := h.attempts(2)
		h.send(parent.fbs...)
		<-busy
		h.send(at[0].fbs...)
		h.send(at[1].fbs...)
		release()
		h.sync()
		h.requirePrefix(h.BlockChain(), h.p.Snapshot(), at[1], 4)
		h.requirePrefix(h.BlockChain(), h.p.Snapshot().Parent, parent, 4)
		h.requireState(h.p.Snapshot(), at[1])
		require.EqualValues(t, 5+5, h.steps.Load())
		require.EqualValues(t, 5, h.p.metrics.superseded.Get())
	})
	t.Run("an attempt that began before", func(t *testing.T) {
		t.Parallel()
		h, busy, release := newBusy(t)
		at := h.attempts(2)
		h.send(at[1].fbs[:2]...)
		<-busy
		h.send(at[0].fbs[0]) // late
		h.send(at[1].fbs...) // replaced, so nothing of it counts any more
		release()
		h.sync()
		require.Equal(t, at[0].fbs[0].PayloadID, h.p.Snapshot().PayloadID)
		require.EqualValues(t, 5, h.p.metrics.outcomes[flashblocks.Stale].Get())
	})
	t.Run("behind a gap", func(t *testing.T) {
		t.Parallel()
		h, busy, release := newBusy(t)
		at := h.attempts(2)
		h.send(at[0].fbs[0])
		<-busy
		h.send(at[0].fbs[1], at[0].fbs[3])
		h.send(at[1].fbs...)
		release()
		h.sync()
		h.requirePrefix(h.BlockChain(), h.p.Snapshot(), at[1], 4)
		require.EqualValues(t, 2+5, h.steps.Load())
	})
}

// The flashblocks of blocks that became canonical while they waited are not executed.
func TestCanonicalBlocksAreNotExecuted(t *testing.T) {
	t.Parallel()
	h, busy, release := newBusy(t)
	s := h.slots(4)
	h.send(s[0].fbs...)
	<-busy
	for _, sl := range s[1:] {
		h.send(sl.fbs...)
	}
	testchain.Insert(t, h.follower, blocksOf(s[:3])...)
	release()
	h.sync()
	h.requirePrefix(h.BlockChain(), h.p.Snapshot(), s[3], 4)
	require.EqualValues(t, 1+5, h.steps.Load())
	require.EqualValues(t, 4+5+5, h.p.metrics.superseded.Get())
}

// A flood of flashblocks that cannot be executed does not keep pending from falling back.
func TestFloodAndExpiry(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(1)[0]
	clock := new(mclock.Simulated)
	p, err := New(Config{Chain: h.follower, Clock: clock, StaleAfter: time.Second})
	require.NoError(t, err)
	p.follow()
	p.tip.Store(&Snapshot{Header: new(types.Header)})
	for range inputQueue {
		p.inputs <- input{fb: s.fbs[1]}
	}
	p.lookAhead()
	require.Len(t, p.waiting, inputQueue)
	require.True(t, p.next())
	require.False(t, p.hidden)
	clock.Run(time.Second)
	require.True(t, p.next())
	require.True(t, p.hidden)
	require.True(t, p.next())
	require.EqualValues(t, 1, p.metrics.expired.Get(), "once")
}
