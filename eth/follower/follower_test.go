// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// A follower joins the block in progress from its beginning, survives the loss of one of its streams
// without a word, and reports the loss of the last.
func TestFollowerOfTwoStreams(t *testing.T) {
	t.Parallel()
	first, second, sink := newUpstream(t), newUpstream(t), new(recordingSink)
	for _, u := range []*upstream{first, second} {
		u.publish(block(5, 0, 0, 1)...)
	}
	var lost atomic.Pointer[flashblocks.FlashblockID]
	f := startFollower(t, Config{
		URLs: []string{first.url(), second.url()}, Sink: sink,
		Lost: func(last flashblocks.FlashblockID) { lost.Store(&last) },
	})
	eventually(t, "both connected", func() bool { return f.Connections() == 2 })
	eventually(t, "the block in progress", func() bool { return len(sink.taken()) == 2 })

	first.stop()
	eventually(t, "the first is lost", func() bool { return f.Connections() == 1 })
	require.Nil(t, lost.Load())
	second.publish(append(block(5, 0, 2), block(6, 0, 0)...)...)
	eventually(t, "the second is followed", func() bool { return len(sink.taken()) == 4 })
	_, isLost := f.lostSince()
	require.False(t, isLost)

	second.stop()
	eventually(t, "all are lost", func() bool { return lost.Load() != nil })
	require.Equal(t, flashblocks.FlashblockID{BlockNumber: 6}, *lost.Load())
	require.Equal(t, append(block(5, 0, 0, 1, 2), at{6, 0, 0}), sink.taken())
	_, isLost = f.lostSince()
	require.True(t, isLost)
	require.Equal(t, uint64(1), f.metrics.lost.Get())
}

// A message lost on the way is replayed by the hub.
func TestFollowerResumesOverTheWire(t *testing.T) {
	t.Parallel()
	up, sink := newUpstream(t), new(recordingSink)
	f := startFollower(t, Config{URLs: []string{up.url()}, Sink: sink})
	eventually(t, "connected", func() bool { return f.Connections() == 1 })
	up.publish(block(5, 0, 0)...)
	eventually(t, "index 0", func() bool { return len(sink.taken()) == 1 })
	f.merge.mu.Lock() // the message after the next overtakes it
	up.publish(block(5, 0, 1, 2)...)
	f.merge.sequence.Reset()
	f.merge.sequence.Add(at{5, 0, 0}.flashblock())
	src := &source{name: "other", resume: f.streams[0].sub.Resume}
	f.merge.mu.Unlock()
	f.merge.accept(src, at{5, 0, 2}.delivery())
	eventually(t, "everything in order", func() bool { return len(sink.taken()) == 3 })
	require.Equal(t, block(5, 0, 0, 1, 2), sink.taken())
}

// A sink that takes nothing keeps the follower neither from stopping nor from leaving nothing behind.
func TestFollowerStopsUnderABusySink(t *testing.T) {
	run := func() {
		up, sink := newUpstream(t), &recordingSink{wait: make(chan struct{})}
		up.publish(block(5, 0, 0, 1, 2)...)
		f, err := New(Config{URLs: []string{up.url()}, Timeout: patience, Sink: sink, Metrics: metrics.NewSet()})
		require.NoError(t, err)
		require.NoError(t, f.Start(t.Context()))
		eventually(t, "connected", func() bool { return f.Connections() == 1 })
		require.NoError(t, f.Stop())
		require.Empty(t, sink.taken())
		up.stop()
	}
	run()
	ignore := goleak.IgnoreCurrent()
	run()
	goleak.VerifyNone(t, ignore, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// Two streams of one host keep metrics of their own, and what the operator put into a URL stays.
func TestFollowerURLs(t *testing.T) {
	t.Parallel()
	set := metrics.NewSet()
	f, err := New(Config{
		URLs: []string{"ws://h:1/a?key=k", "ws://h:1/b?from=current", "ws://h:1/c?block_number=0&flashblock_index=0"},
		Sink: new(recordingSink), Metrics: set, Timeout: time.Hour,
	})
	require.NoError(t, err)
	require.NoError(t, f.Start(t.Context()))
	defer func() { require.NoError(t, f.Stop()) }()
	var text strings.Builder
	set.WritePrometheus(&text)
	for _, name := range []string{`"h:1"`, `"h:1#2"`, `"h:1#3"`} {
		require.Contains(t, text.String(), "flashblocks_subscriber_connected{upstream="+name+"} 0")
	}
	for raw, want := range map[string]string{
		"ws://h:1/a?key=k":            "ws://h:1/a?from=current&key=k",
		"ws://h:1/b?from=current":     "ws://h:1/b?from=current",
		"wss://h/c?block_number=0&x=": "wss://h/c?block_number=0&x=",
	} {
		require.Equal(t, want, joinInProgress(mustURL(t, raw)))
	}
}
