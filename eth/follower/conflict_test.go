// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// forged returns what another builder says at a place.
func (a at) forged() stream.Message {
	fb := a.flashblock()
	fb.Diff.Transactions = [][]byte{{0x02, byte(a.index)}}
	msg := a.message()
	msg.V1 = fb.AppendJSON(nil)
	return msg
}

func (h *mergeHarness) feedForged(name string, list ...at) {
	for _, a := range list {
		d := a.delivery()
		d.JSON = a.forged().V1
		h.accept(h.sources[name], d)
	}
}

// Of two streams that contradict each other about a payload, one is followed to its end: nothing is mixed,
// and nothing more of the payload is taken from the other.
func TestMergeConflict(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1)...)
	h.feed("b", block(5, 0, 0)...)
	h.feedForged("b", block(5, 0, 1, 2, 3)...)
	require.Equal(t, block(5, 0, 0, 1), h.sink.taken(), "index 2 is of another builder")
	require.Equal(t, uint64(3), h.metrics.conflicts.Get())
	require.Equal(t, uint64(1), h.metrics.repeated.Get())

	h.feed("a", block(5, 0, 2, 3)...)
	h.feedForged("b", block(5, 0, 3, 5)...)
	require.Equal(t, block(5, 0, 0, 1, 2, 3), h.sink.taken())
	require.Equal(t, uint64(5), h.metrics.conflicts.Get())
	require.Empty(t, h.resumes, "what is refused is no gap")

	// The next payload is anybody's.
	h.feed("b", block(6, 0, 0, 1)...)
	h.feedForged("a", block(6, 0, 1)...)
	h.feed("a", block(6, 0, 2)...)
	h.feed("b", block(6, 0, 2)...)
	require.Equal(t, append(block(5, 0, 0, 1, 2, 3), block(6, 0, 0, 1, 2)...), h.sink.taken())
	require.Equal(t, uint64(7), h.metrics.conflicts.Get())
}

// A stream contradicts itself too, when it resumes at another builder.
func TestMergeConflictOfOneStream(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1)...)
	h.feedForged("a", block(5, 0, 0, 1, 2)...)
	require.Equal(t, block(5, 0, 0, 1), h.sink.taken())
	require.Equal(t, uint64(3), h.metrics.conflicts.Get())

	// The same id for another block is a contradiction as well.
	d := at{5, 0, 2}.delivery()
	fb := at{5, 0, 2}.flashblock()
	fb.Metadata.BlockNumber = 9
	d.JSON = fb.AppendJSON(nil)
	h.accept(h.sources["b"], d)
	h.feed("b", block(5, 0, 2)...)
	require.Equal(t, block(5, 0, 0, 1), h.sink.taken())
	require.Equal(t, uint64(5), h.metrics.conflicts.Get())
}

// The same content in other bytes is no contradiction; what does not decode is neither that nor a repetition.
func TestMergeRepetitionInOtherBytes(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1)...)
	d := at{5, 0, 1}.delivery()
	d.JSON = bytes.Replace(d.JSON, []byte(`{`), []byte(`{ `), 1)
	require.NotEqual(t, at{5, 0, 1}.delivery().JSON, d.JSON)
	h.accept(h.sources["b"], d)
	require.Equal(t, uint64(1), h.metrics.repeated.Get())
	d.JSON = []byte(`{"payload_id":"0x01"}`)
	h.accept(h.sources["b"], d)
	h.feed("b", block(5, 0, 2)...)
	require.Equal(t, block(5, 0, 0, 1, 2), h.sink.taken())
	require.Equal(t, []uint64{1, 1, 0}, []uint64{h.metrics.repeated.Get(), h.metrics.malformed.Get(), h.metrics.conflicts.Get()})
}

// Two builders behind the streams of one follower: what is executed is what one of them published.
func TestFollowerOfTwoBuilders(t *testing.T) {
	t.Parallel()
	first, second, sink := newUpstream(t), newUpstream(t), new(recordingSink)
	f := startFollower(t, Config{URLs: []string{first.url(), second.url()}, Sink: sink})
	eventually(t, "both connected", func() bool { return f.Connections() == 2 })
	first.publish(block(5, 0, 0, 1)...)
	eventually(t, "the first builder's", func() bool { return len(sink.taken()) == 2 })
	second.publish(at{5, 0, 0})
	for _, a := range block(5, 0, 1, 2, 3) {
		second.hub.Publish(a.forged())
	}
	eventually(t, "the conflicts", func() bool { return f.metrics.conflicts.Get() == 3 })
	first.publish(block(5, 0, 2)...)
	eventually(t, "the first builder's next", func() bool { return len(sink.taken()) == 3 })
	second.publish(at{6, 0, 0})
	eventually(t, "the next block", func() bool { return len(sink.taken()) == 4 })
	require.Equal(t, append(block(5, 0, 0, 1, 2), at{6, 0, 0}), sink.taken())
	require.Equal(t, uint64(1), f.metrics.repeated.Get())
	require.Zero(t, f.metrics.resumes.Get())
}
