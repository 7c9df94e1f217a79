// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
)

// Two forkchoice updates, whose local answers are taken in by goroutines of their own: the older one must not
// end the newer one's round.
func TestLateLocalAnswerEndsNoNewerRound(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	older := h.store.Begin(testRequest(t))
	h.bound(2, 10)
	h.add(10, 0)
	older.BindBuilder(id(9))
	h.add(9, 0)
	require.Same(t, older, older.BindLocal(id(1)))
	h.add(10, 1)
	require.Equal(t, []string{"10/0", "10/1"}, h.published())
	require.Equal(t, 1, older.Freeze().Count(), "it may still be asked for")
}

// The local answer comes when op-node has left the parent already.
func TestRoundOnALeftHeadPublishesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.store.Head(testParent)
	r := h.store.Begin(testRequest(t))
	r.BindBuilder(id(9))
	h.add(9, 0)
	h.store.Head(common.HexToHash("0x99"))
	r.BindLocal(id(1))
	h.add(9, 1)
	require.Empty(t, h.published())
	h.store.Head(testParent) // and back again
	require.Same(t, r, h.store.Begin(testRequest(t)).BindLocal(id(1)))
	require.Equal(t, []string{"9/0", "9/1"}, h.published())
}

// Neither side had a block when it was asked for, and op-node begins another build: what was published is void,
// and that is told.
func TestAbandonedRoundIsTold(t *testing.T) {
	t.Parallel()
	told := func(h *harness) bool { return strings.Contains(strings.Join(h.published(), "\n"), `"reorg":true`) }
	for name, tc := range map[string]func(h *harness, r *Round){
		"released, then superseded": func(h *harness, r *Round) {
			r.Release()
			require.False(t, told(h), "it may be asked for again")
			h.bound(2, 10)
		},
		"superseded, then released": func(h *harness, r *Round) {
			h.bound(2, 10)
			require.False(t, told(h), "its fate is still open")
			r.Release()
		},
		"another head": func(h *harness, r *Round) { r.Release(); h.store.Head(common.HexToHash("0x99")) },
		"forgotten": func(h *harness, _ *Round) {
			for n := range byte(defaultKeep) {
				h.bound(20+n, 40+n)
			}
		},
	} {
		h := newHarness(t, Config{})
		r := h.bound(1, 9)
		h.add(9, 0)
		r.Freeze()
		tc(h, r)
		require.True(t, told(h), name)
		require.Equal(t, 1, h.count(`flashboost_flashblocks_rounds_discarded_total{reason="superseded"}`), name)
	}
	h := newHarness(t, Config{})
	r := h.bound(1, 9)
	h.add(9, 0)
	r.Freeze()
	r.Release()
	r.Freeze() // asked for again
	h.bound(2, 10)
	r.Keep(Sealed{})
	require.False(t, told(h))
}

// The memory of many rounds is that of the last ones.
func TestManyRoundsAreForgotten(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	var fresh []json.RawMessage
	for n := range 1000 {
		r := h.store.Begin(testRequest(t))
		local := id(1)
		local[1], local[2] = byte(n), byte(n>>8)
		builder := id(9)
		builder[1], builder[2] = byte(n), byte(n>>8)
		r.BindLocal(local)
		r.BindBuilder(builder)
		for index := range uint64(3) {
			fb := flashblock(9, index)
			fb.PayloadID = builder
			h.store.Add(delivery(t, fb.AppendJSON(nil)))
		}
		fresh = r.Freeze().Transactions()
		require.Len(t, fresh, 3)
		r.Keep(Sealed{})
	}
	require.Len(t, h.store.rounds, defaultKeep)
	require.Len(t, h.store.byLocal, defaultKeep)
	require.Len(t, h.store.lines.byID, defaultKeep)
	require.Zero(t, h.store.lines.early)
}

// A leader that loses its lead does not ask for the block: the next head tells that it came to nothing.
func TestAnotherHeadEndsTheRound(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.bound(1, 9)
	h.add(9, 0)
	h.store.Head(testParent) // safe and finalized moved, that is all
	h.add(9, 1)
	require.Len(t, h.published(), 2)
	h.store.Head(common.HexToHash("0x99"))
	require.Contains(t, h.published()[2], `"reorg":true`)
	h.add(9, 2)
	require.Len(t, h.published(), 3)

	h.store.Head(testParent)
	asked := h.bound(2, 10)
	h.add(10, 0)
	asked.Freeze()
	h.store.Head(common.HexToHash("0x99"))
	require.Len(t, h.published(), 4, "its fate is still open")
}

// The attributes change and change back before anything was published.
func TestSupersededRoundIsRevived(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	a := h.bound(1, 9)
	b := h.bound(2, 10)
	again := h.store.Begin(testRequest(t))
	require.Same(t, a, again.BindLocal(id(1)))
	again.BindBuilder(id(9))
	h.add(9, 0)
	h.add(10, 0)
	require.Equal(t, []string{"9/0"}, h.published())
	require.Equal(t, 1, b.Peek().Count())
}
