// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"context"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// A canonical feed that stalls: pending goes on for maxDepth blocks and not further, keeps what it has, falls
// back to latest when it has stood still for too long, and goes on by itself.
func TestCanonicalFeedStalls(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(maxDepth + 12)
	h.land(s[0].block)
	rest := s[1:]
	for i, sl := range rest {
		snapshot := h.deliver(sl.fbs...)
		h.requirePrefix(h.BlockChain(), snapshot, rest[min(i, maxDepth-1)], 4)
		require.LessOrEqual(t, len(snapshot.Ancestors()), maxDepth)
		require.LessOrEqual(t, len(h.p.items), 5)
	}
	h.requireState(h.p.Snapshot(), rest[maxDepth-1])
	sub := h.p.Subscribe()
	h.clock.WaitForTimers(1)
	h.clock.Run(7 * time.Second) // three blocks of two seconds
	require.Nil(t, h.next(sub).Snapshot)
	require.Nil(t, h.p.Snapshot())
	require.EqualValues(t, 1, h.p.metrics.expired.Get())

	// The feed comes back with a block at a time: what is still ahead shows again.
	h.requirePrefix(h.BlockChain(), h.land(rest[0].block), rest[maxDepth-1], 4)
	require.Nil(t, h.land(blocksOf(rest[1:maxDepth])...))
	last := rest[len(rest)-1]
	h.requirePrefix(h.BlockChain(), h.land(blocksOf(rest[maxDepth:len(rest)-1])...), last, 4)
	require.Empty(t, withdrawn(drain(sub)))
	require.Zero(t, h.p.metrics.reorged.Get())
}

func (h *harness) next(sub *Subscription) Event {
	h.t.Helper()
	select {
	case ev, ok := <-sub.Events():
		require.True(h.t, ok, "the subscription ended")
		return ev
	case <-time.After(wait):
		require.FailNow(h.t, "no event")
		return Event{}
	}
}

// When the upstream is lost, pending is latest once the block in progress is canonical, or when nothing
// has moved for too long; it comes back with the next flashblock.
func TestUpstreamLost(t *testing.T) {
	t.Parallel()
	h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}, processor: func(c *Config) { c.StaleAfter = 3 * time.Second }})
	s := h.slots(3)
	h.deliver(s[0].fbs[:2]...)
	sub := h.p.Subscribe()
	h.clock.WaitForTimers(1)
	h.clock.Run(3*time.Second - 1)
	require.NotNil(t, h.p.Snapshot())
	h.clock.Run(1)
	require.Nil(t, h.next(sub).Snapshot)
	h.requirePrefix(h.BlockChain(), h.deliver(s[0].fbs[2:]...), s[0], 4)
	require.Nil(t, h.land(s[0].block))
	require.Nil(t, h.land(s[1].block))
	h.requirePrefix(h.BlockChain(), h.deliver(s[2].fbs...), s[2], 4)
}

// Flashblocks that keep coming keep pending alive.
func TestProgressPostponesExpiry(t *testing.T) {
	t.Parallel()
	h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}, processor: func(c *Config) { c.StaleAfter = 3 * time.Second }})
	s := h.slots(1)[0]
	for i, fb := range s.fbs {
		h.requirePrefix(h.BlockChain(), h.deliver(fb), s, i)
		h.clock.WaitForTimers(1)
		h.clock.Run(2 * time.Second)
		h.requirePrefix(h.BlockChain(), h.p.Snapshot(), s, i)
	}
	require.Zero(t, h.p.metrics.expired.Get())
}

// A processor ten times slower than the chain: every block is canonical before it was executed. What is
// answered is never behind latest, the queue does not grow, the chain's import does not wait, and when the
// processor is fast again it is at the tip at once.
func TestSlowProcessor(t *testing.T) {
	t.Parallel()
	var (
		slow atomic.Bool
		gate = make(chan struct{})
	)
	h := newHarness(t, harnessConfig{
		chain: testchain.Config{Fork: testchain.Jovian},
		before: func(uint64) {
			if slow.Load() {
				<-gate
			}
		},
	})
	s := h.slots(40)
	slow.Store(true)
	release := sync.OnceFunc(func() { slow.Store(false); close(gate) })
	t.Cleanup(release)
	var delivering sync.WaitGroup
	delivering.Go(func() {
		for _, sl := range s {
			h.send(sl.fbs...)
		}
	})
	for i, sl := range s[:39] {
		testchain.Insert(t, h.follower, sl.block) // returns although nobody executes anything
		require.LessOrEqual(t, len(h.p.inputs), inputQueue)
		if snapshot := h.p.Snapshot(); snapshot != nil {
			require.Equal(t, sl.block.NumberU64()+1, snapshot.Number())
		}
		if i%10 == 9 {
			select {
			case gate <- struct{}{}: // one flashblock for ten blocks
			default:
			}
		}
	}
	release()
	delivering.Wait()
	h.sync()
	h.requirePrefix(h.BlockChain(), h.p.Snapshot(), s[39], 4)
	require.Zero(t, h.p.metrics.reorged.Get())
}

// A snapshot is never shown once the chain has reached its block, even while the processor is busy.
func TestSnapshotIsBoundedByTheChain(t *testing.T) {
	t.Parallel()
	var block atomic.Bool
	gate, blocked := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(gate) })
	h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}, before: func(uint64) {
		if block.Load() {
			close(blocked)
			<-gate
		}
	}})
	t.Cleanup(release)
	s := h.slots(3)
	h.deliver(s[0].fbs...)
	h.requirePrefix(h.BlockChain(), h.deliver(s[1].fbs[:3]...), s[1], 2)
	block.Store(true)
	h.send(s[1].fbs[3])
	<-blocked
	block.Store(false)
	testchain.Insert(t, h.follower, s[0].block)
	h.requirePrefix(h.BlockChain(), h.p.Snapshot(), s[1], 2)
	testchain.Insert(t, h.follower, s[1].block)
	require.Nil(t, h.p.Snapshot(), "reached")
	_, err := h.follower.SetCanonical(s[0].block)
	require.NoError(t, err)
	require.NotNil(t, h.p.Snapshot(), "a lower tip reopens it")
	testchain.Insert(t, h.follower, h.fork(s[0], 3).block)
	require.Nil(t, h.p.Snapshot(), "another branch")
	release()
	h.sync()
	require.Nil(t, h.p.Snapshot())
}

// A transaction that does not end is interrupted when its block is canonical, and when the node stops.
func TestEndlessExecution(t *testing.T) {
	t.Parallel()
	started := make(chan struct{}, 16)
	h := newHarness(t, harnessConfig{
		chain:  testchain.Config{Fork: testchain.Jovian},
		before: func(uint64) { started <- struct{}{} },
	})
	s := h.slots(2)
	endless := func(sl slot) {
		// A deposit pays for no gas: nothing else bounds it.
		forever, err := types.NewTx(&types.DepositTx{To: nil, Value: new(big.Int), Gas: 1 << 61, Data: []byte{0x5b, 0x60, 0x00, 0x56}}).MarshalBinary()
		require.NoError(t, err)
		base := *sl.fbs[0].Base
		base.GasLimit = 1 << 62
		a, b := *sl.fbs[0], *sl.fbs[1]
		a.Base = &base
		b.Diff.Transactions = [][]byte{forever}
		h.send(&a, &b)
		<-started
		<-started
	}
	endless(s[0])
	h.land(s[0].block)
	require.Nil(t, h.p.Snapshot())
	endless(s[1])
	require.NoError(t, h.p.Stop())
	for range 2 * inputQueue {
		if !h.p.Deliver(context.Background(), s[1].fbs[2], time.Now()) {
			return // nobody waits for a processor that has stopped
		}
	}
	require.Fail(t, "delivered beyond the queue")
}
