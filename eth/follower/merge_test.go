// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Of two streams the first to bring a flashblock counts, whichever that is.
func TestMergeFirstArrivalWins(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1)...)
	h.feed("b", block(5, 0, 0, 1, 2, 3)...)
	h.feed("a", block(5, 0, 2, 3, 4)...)
	h.feed("a", block(6, 0, 0, 1)...)
	h.feed("b", block(5, 0, 4)...) // of a block left behind
	h.feed("b", block(6, 0, 0, 1)...)
	require.Equal(t, append(block(5, 0, 0, 1, 2, 3, 4), block(6, 0, 0, 1)...), h.sink.taken())
	require.Empty(t, h.resumes)
	require.Equal(t, uint64(7), h.metrics.taken.Get())
	require.Equal(t, uint64(7), h.metrics.repeated.Get(), "a repetition was decoded again")
	last, ok := h.position()
	require.True(t, ok)
	require.Equal(t, flashblocks.FlashblockID{BlockNumber: 6, Index: 1}, last)
}

// A flashblock that comes too early makes its stream begin again after the last one held, and is not
// handed on before what it misses.
func TestMergeResumesAtAGap(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1, 3, 4)...)
	require.Equal(t, block(5, 0, 0, 1), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)

	from, ok := h.resumeFrom(h.sources["a"])
	require.True(t, ok)
	require.Equal(t, flashblocks.Header{PayloadID: at{block: 5}.payload(), BlockNumber: 5, Index: 1}, from)
	h.feed("a", block(5, 0, 2, 3, 4)...)
	require.Equal(t, block(5, 0, 0, 1, 2, 3, 4), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
}

// What one stream misses the other may bring before the first has begun again.
func TestMergeFillsAGapFromAnotherStream(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1, 3)...)
	h.feed("b", block(5, 0, 0, 1, 2, 3, 4)...)
	h.resumeFrom(h.sources["a"])
	h.feed("a", block(5, 0, 2, 3, 4, 5)...)
	require.Equal(t, block(5, 0, 0, 1, 2, 3, 4, 5), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
}

// A stream that has begun again and still misses the same has lost it: the sink is told by what comes
// next, once per flashblock, and the stream is left alone.
func TestMergeGivesUpWhatIsLost(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 2)...)
	late := at{5, 0, 3}.delivery() // read before, handled after the new connection
	h.resumeFrom(h.sources["a"])
	late.Arrived = time.Unix(0, h.sources["a"].dialed.Load()-1)
	h.accept(h.sources["a"], late)
	require.Equal(t, block(5, 0, 0), h.sink.taken())

	h.feed("a", block(5, 0, 2, 3)...)
	h.feed("a", block(6, 0, 0)...)
	require.Equal(t, append(block(5, 0, 0, 2, 3), at{6, 0, 0}), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
}

// A new attempt whose beginning was missed is asked for from the end of the block before.
func TestMergeMissedAttempt(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", append(block(4, 0, 0, 1), block(5, 0, 0, 1)...)...)
	h.feed("a", block(5, 1, 1)...)
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
	from, ok := h.resumeFrom(h.sources["a"])
	require.True(t, ok)
	require.Equal(t, flashblocks.Header{BlockNumber: 4, Index: 1}, from)
	h.feed("a", block(5, 1, 0, 1)...)
	require.Equal(t, block(5, 1, 0, 1), h.sink.taken()[4:])
}

// Before anything was held there is nothing to resume from: a stream that begins in the middle of a block
// is waited out.
func TestMergeBeginsAtABase(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	_, ok := h.resumeFrom(h.sources["a"])
	require.False(t, ok)
	h.feed("a", block(5, 0, 3, 4)...)
	h.feed("a", block(6, 0, 0)...)
	require.Equal(t, []at{{6, 0, 0}}, h.sink.taken()[2:])
	require.Empty(t, h.resumes)
}

// A flashblock that does not decode is counted, and taken from a stream that has a good one.
func TestMergeMalformed(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	d := at{5, 0, 0}.delivery()
	d.JSON = []byte(`{"payload_id":"0x01"}`)
	h.accept(h.sources["a"], d)
	h.feed("b", at{5, 0, 0})
	require.Equal(t, []at{{5, 0, 0}}, h.sink.taken())
	require.Equal(t, uint64(1), h.metrics.malformed.Get())
}
