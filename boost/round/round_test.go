// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
)

// F2: op-node repeats a forkchoice update; the builder ignores the repetition and goes on at index n.
func TestRepeatedUpdateKeepsTheRound(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0, 1)
	again := h.store.Begin(testRequest(t))
	require.Same(t, r, again.BindLocal(id(1)))
	again.BindBuilder(id(9))
	h.add(9, 2)
	require.Same(t, r, h.store.Lookup(id(1)))
	require.Equal(t, []string{"9/0", "9/1", "9/2"}, h.published())
	require.Equal(t, 3, r.Freeze().Count())
}

// The repetition may be what reaches the builder, or the builder may answer it first.
func TestRepetitionBringsTheBuilder(t *testing.T) {
	t.Parallel()
	for name, repeat := range map[string]func(again *Round){
		"local first":   func(again *Round) { again.BindLocal(id(1)); again.BindBuilder(id(9)) },
		"builder first": func(again *Round) { again.BindBuilder(id(9)); again.BindLocal(id(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{})
			r := h.store.Begin(testRequest(t))
			r.BindLocal(id(1))
			r.FailBuilder(errors.New("down"))
			_, err := r.Builder(t.Context())
			require.ErrorContains(t, err, "down")
			h.add(9, 0)
			repeat(h.store.Begin(testRequest(t)))
			h.add(9, 1)
			require.Equal(t, []string{"9/0", "9/1"}, h.published())
			got, err := r.Builder(t.Context())
			require.NoError(t, err)
			require.Equal(t, id(9), got)
		})
	}
}

// F3: an answer that comes late concerns the round it answers, and no newer one.
func TestLateAnswersTouchNoOtherRound(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	a := h.store.Begin(testRequest(t))
	a.BindLocal(id(1))
	b := h.bound(2, 9)
	h.add(9, 0)
	a.BindBuilder(id(8)) // the answer of the older update
	h.add(8, 0)          // and what its builder still sends
	h.add(9, 1)
	require.Equal(t, []string{"9/0", "9/1"}, h.published())
	got, err := b.Builder(t.Context())
	require.NoError(t, err)
	require.Equal(t, id(9), got)

	b.BindBuilder(id(8)) // nor does a second answer of its own
	b.FailBuilder(errors.New("late"))
	b.FailLocal("late")
	require.Same(t, b, b.BindLocal(id(3)))
	require.Nil(t, h.store.Lookup(id(3)))
	h.add(9, 2)
	require.Equal(t, []string{"9/0", "9/1", "9/2"}, h.published())
	require.Equal(t, 3, b.Freeze().Count())
}

// One builder id never makes the block of two local ids, unless nothing came of the first.
func TestBuilderIDOfTwoRounds(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.bound(1, 9)
	h.add(9, 0)
	b := h.bound(2, 9)
	_, err := b.Builder(t.Context())
	require.ErrorIs(t, err, ErrBuilderInUse)
	require.Zero(t, b.Freeze().Count())

	h = newHarness(t, Config{})
	h.muted.Store(true)
	a := h.bound(1, 9)
	h.add(9, 0)
	b = h.bound(2, 9)
	require.Equal(t, 1, b.Peek().Count())
	require.Zero(t, a.Freeze().Count())
}

// The local node fails, op-node asks again, and the builder has begun already.
func TestLocalFailureLeavesTheFlashblocksForTheRepetition(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	a := h.store.Begin(testRequest(t))
	a.BindBuilder(id(9))
	a.FailLocal("timeout")
	h.add(9, 0, 1)
	require.Empty(t, h.published(), "this sequencer builds nothing")
	require.Same(t, a, a.BindLocal(id(1)))
	require.Nil(t, h.store.Lookup(id(1)))
	b := h.bound(1, 9)
	require.Equal(t, []string{"9/0", "9/1"}, h.published())
	require.Equal(t, 2, b.Freeze().Count())
}

// F4: only mode enabled publishes.
func TestModeDecidesWhatIsPublished(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.muted.Store(true)
	r := h.bound(1, 9)
	h.add(9, 0, 1)
	require.Empty(t, h.published())
	p := r.Freeze()
	require.Equal(t, 2, p.Count())
	require.Zero(t, p.Published())
	r.Discard(ReasonMode)
	require.Empty(t, h.published(), "nobody saw anything")
	require.Zero(t, h.count(`flashboost_flashblocks_rounds_discarded_total{reason="mode"}`))

	r = h.bound(2, 10)
	h.add(10, 0)
	h.muted.Store(false) // switched in mid-block: the rest comes with its beginning
	h.add(10, 1)
	require.Equal(t, []string{"10/0", "10/1"}, h.published())
	h.muted.Store(true)
	h.add(10, 2)
	require.Len(t, h.published(), 2)
	require.Equal(t, 2, r.Freeze().Published())
}

// F4: a block that was published in part and not sealed is counted and told, once.
func TestDiscardedRoundIsTold(t *testing.T) {
	t.Parallel()
	for reason, label := range map[Reason]string{ReasonInvalid: "invalid", "whatever": "other"} {
		h := newHarness(t, Config{})
		r := h.bound(1, 9)
		h.add(9, 0, 1)
		r.Freeze()
		r.Discard(reason)
		r.Discard(ReasonPolicy)
		r.Keep(Sealed{})
		out := h.published()
		require.Len(t, out, 3)
		require.Contains(t, out[2], `"reorg":true`)
		require.Contains(t, out[2], `"index":1,"blockNumber":"0x64"`)
		require.Equal(t, 1, h.count(`flashboost_flashblocks_rounds_discarded_total{reason="`+label+`"}`))
		require.Zero(t, h.count("flashboost_flashblocks_rounds_kept_total"))
	}
}

func TestKeptRoundIsSealed(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0, 1)
	r.Keep(Sealed{StateRoot: common.HexToHash("0xabc"), GasUsed: 42000})
	r.Discard(ReasonInvalid)
	out := h.published()
	require.Len(t, out, 3)
	require.Contains(t, out[2], `"gasUsed":"0xa410","sealed":true`)
	require.Contains(t, out[2], `0abc"`)
	h.add(9, 2)
	require.Len(t, h.published(), 3)
	require.Equal(t, 1, h.count(refusedLate))
}

// A newer build ends the one before it, but not one whose block is being made.
func TestNewerBuildSupersedes(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	a := h.bound(1, 9)
	h.add(9, 0)
	b := h.bound(2, 10)
	require.Contains(t, h.published()[1], `"reorg":true`)
	require.Equal(t, 1, h.count(`flashboost_flashblocks_rounds_discarded_total{reason="superseded"}`))
	h.add(9, 1)
	h.add(10, 0)
	require.Equal(t, "10/0", h.published()[2])
	require.Equal(t, 1, a.Freeze().Count(), "it may still be asked for")

	prefix := b.Freeze()
	h.bound(3, 11)
	require.Len(t, h.published(), 3, "its fate is not known yet")
	b.Keep(Sealed{})
	require.Contains(t, h.published()[3], `"sealed":true`)
	require.Same(t, prefix, b.Freeze())
}

// F11: the block is frozen with the first question, and every further one gets the same.
func TestFrozenPrefixStays(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0, 1)
	p := r.Freeze()
	want, err := p.Envelope(4)
	require.NoError(t, err)
	h.add(9, 2, 3)
	h.add(9, 1) // a replay is no tail
	require.Equal(t, 2, h.count(refusedLate))
	require.Equal(t, []string{"9/0", "9/1"}, h.published(), "no tail is published")
	again := r.Freeze()
	require.Same(t, p, again)
	got, err := again.Envelope(4)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	require.Equal(t, 2, h.count("rollup_boost_flashblocks_service_flashblocks_counter"))
}

// The builder answers after its block was asked for: what came is not published any more.
func TestBindAfterFreeze(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.store.Begin(testRequest(t))
	r.BindLocal(id(1))
	h.add(9, 0)
	require.Zero(t, r.Freeze().Count())
	r.BindBuilder(id(9))
	h.add(9, 1)
	require.Empty(t, h.published())
	require.Zero(t, r.Freeze().Count())
}

// F19: another block than the one asked for is neither published nor assembled.
func TestNonconformingBaseIsBarred(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"early": true, "late": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{})
			r := h.store.Begin(testRequest(t))
			fb := flashblock(9, 0)
			fb.Base.FeeRecipient = common.Address{1}
			if early {
				h.store.Add(delivery(t, fb.AppendJSON(nil)))
			}
			r.BindLocal(id(1))
			r.BindBuilder(id(9))
			if !early {
				h.store.Add(delivery(t, fb.AppendJSON(nil)))
			}
			h.add(9, 1, 0, 2)
			require.Empty(t, h.published())
			require.Zero(t, r.Freeze().Count())
			require.Equal(t, 1, h.count("flashboost_flashblocks_nonconforming_total"))
		})
	}
}

func TestBuilderWaits(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	r := h.store.Begin(testRequest(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Builder(ctx)
	require.ErrorIs(t, err, context.Canceled)
	got := make(chan error, 1)
	go func() {
		_, err := r.Builder(t.Context())
		got <- err
	}()
	r.BindBuilder(id(9))
	require.NoError(t, <-got)
}
