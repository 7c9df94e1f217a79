// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// after returns the flashblock of a place as a stream brings it that names the one before.
func (a at) after(block, index uint64) stream.Delivery {
	fb := a.flashblock()
	fb.Metadata.PrevFlashblockID = &flashblocks.FlashblockID{BlockNumber: block, Index: index}
	d := a.delivery()
	d.JSON = fb.AppendJSON(nil)
	return d
}

// The end of a block that the next one says was published is asked for, where the dialect tells.
func TestMergeMissedTail(t *testing.T) {
	t.Parallel()
	h := newMergeHarness()
	h.feed("a", block(5, 0, 0, 1)...)
	next := at{6, 0, 0}
	d := next.after(5, 3)
	h.accept(h.sources["a"], d)
	h.feed("a", block(6, 0, 1)...) // read before the connection is given up
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
	require.Equal(t, block(5, 0, 0, 1), h.sink.taken())
	from, ok := h.resumeFrom(h.sources["a"])
	require.True(t, ok)
	require.Equal(t, flashblocks.FlashblockID{BlockNumber: 5, Index: 1}, from.Position())
	h.feed("a", block(5, 0, 2)...)
	require.Len(t, h.sink.taken(), 3, "another one is missing")
	h.feed("a", block(5, 0, 3)...)
	want := append(block(5, 0, 0, 1, 2, 3), block(6, 0, 0, 1)...)
	require.Equal(t, want, h.sink.taken())
	h.accept(h.sources["a"], d)
	h.feed("a", block(6, 0, 1, 2)...)
	require.Equal(t, append(want, at{6, 0, 2}), h.sink.taken())
	require.Equal(t, map[string]int{"a": 1}, h.resumes)
	require.Zero(t, h.metrics.gaps.Get()+h.metrics.conflicts.Get())
}

// The beginning of a block is never lost over the end of the one before, whatever comes instead of it.
func TestMergeKeepsTheBase(t *testing.T) {
	t.Parallel()
	base := at{6, 0, 0}
	held := block(5, 0, 0, 1)
	for name, test := range map[string]struct {
		then func(h *mergeHarness, a *source)
		want []at // behind what was held
		vain bool
	}{
		"the stream goes on live": {func(h *mergeHarness, a *source) {
			h.resumeFrom(a)
			h.feed("a", block(6, 0, 1, 2)...)
		}, block(6, 0, 0, 1, 2), true},
		"the stream goes on live, later": {func(h *mergeHarness, a *source) {
			h.feed("a", block(6, 0, 1, 0)...)
			h.resumeFrom(a)
			h.feed("a", block(6, 0, 2)...)
		}, block(6, 0, 0, 1, 2), true},
		"the stream begins again with the base": {func(h *mergeHarness, a *source) {
			h.resumeFrom(a)
			h.accept(a, base.after(5, 2))
		}, block(6, 0, 0), true},
		"the stream goes on with the block after": {func(h *mergeHarness, a *source) {
			h.resumeFrom(a)
			h.feed("a", block(7, 0, 0)...)
		}, append(block(6, 0, 0), block(7, 0, 0)...), true},
		"the block after was read before": {func(h *mergeHarness, _ *source) {
			h.feed("a", block(6, 0, 1)...)
			h.feed("a", block(7, 0, 0)...)
		}, append(block(6, 0, 0, 1), block(7, 0, 0)...), false},
		"another attempt": {func(h *mergeHarness, a *source) {
			h.resumeFrom(a)
			h.feed("a", block(6, 1, 0, 1)...)
		}, append(block(6, 0, 0), block(6, 1, 0, 1)...), true},
		"another stream goes on": {func(h *mergeHarness, _ *source) {
			h.accept(h.sources["b"], base.after(5, 2))
			h.feed("b", block(6, 0, 1)...)
		}, block(6, 0, 0, 1), false},
		"another stream has the end": {func(h *mergeHarness, _ *source) {
			h.feed("b", block(5, 0, 2)...)
		}, append(block(5, 0, 2), base), false},
		"the stream is lost": {func(h *mergeHarness, a *source) {
			h.lost(h.sources["b"])
			require.Len(t, h.sink.taken(), 2)
			h.lost(a)
		}, block(6, 0, 0), false},
		"more than a queue holds": {func(h *mergeHarness, _ *source) {
			for index := range uint64(earlyLimit) {
				h.feed("a", at{6, 0, index + 1})
			}
		}, func() (list []at) {
			for index := range uint64(earlyLimit + 1) {
				list = append(list, at{6, 0, index})
			}
			return list
		}(), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newMergeHarness()
			a := h.sources["a"]
			h.feed("a", held...)
			h.accept(a, base.after(5, 2))
			require.Equal(t, held, h.sink.taken())
			test.then(h, a)
			require.Equal(t, append(append([]at(nil), held...), test.want...), h.sink.taken())
			require.Equal(t, map[string]int{"a": 1}, h.resumes)
			require.Equal(t, test.vain, a.vain.Load())
			require.Empty(t, h.early.list)
		})
	}
}

// A stream that was asked in vain, for the end of a block or for what is missing within one, is not cut again
// before it has connected anew.
func TestMergeAsksInVainOnce(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(h *mergeHarness, a *source){
		"end of the block before": func(h *mergeHarness, a *source) {
			h.accept(a, at{6, 0, 0}.after(5, 1))
			h.resumeFrom(a)
			h.feed("a", block(6, 0, 1)...)
		},
		"gap": func(h *mergeHarness, a *source) {
			h.feed("a", block(6, 0, 0, 1, 3)...)
			h.resumeFrom(a)
			h.feed("a", block(6, 0, 4)...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newMergeHarness()
			a := h.sources["a"]
			h.feed("a", block(5, 0, 0)...)
			ask(h, a)
			before := h.sink.taken()
			require.Subset(t, before, block(6, 0, 0, 1))
			h.accept(a, at{7, 0, 0}.after(6, 9))
			h.feed("a", block(7, 0, 2)...)
			require.Equal(t, 1, h.resumes["a"])
			require.Equal(t, append(before, block(7, 0, 0, 2)...), h.sink.taken(), "nothing waits for what does not come")
			h.resumeFrom(a) // after an outage
			h.accept(a, at{8, 0, 0}.after(7, 3))
			require.Equal(t, 2, h.resumes["a"])
		})
	}
}

// liveOnly is a stream that ignores positions: every connection gets what is sent while it is the newest.
type liveOnly struct {
	server *httptest.Server
	conns  chan *websocket.Conn
}

func newLiveOnly(t *testing.T) *liveOnly {
	t.Helper()
	l := &liveOnly{conns: make(chan *websocket.Conn, 16)} // more connections than a test makes
	var upgrader websocket.Upgrader
	l.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		l.conns <- ws
		for {
			if _, _, err := ws.ReadMessage(); err != nil { // reads pongs and the end
				return
			}
		}
	}))
	t.Cleanup(l.server.Close)
	return l
}

// connection returns the next connection made.
func (l *liveOnly) connection(t *testing.T) *websocket.Conn {
	t.Helper()
	select {
	case ws := <-l.conns:
		return ws
	case <-time.After(patience):
		require.FailNow(t, "no connection")
		return nil
	}
}

// A follower of a stream that does not resume misses what the stream lost, and nothing else.
func TestFollowerOfAStreamThatDoesNotResume(t *testing.T) {
	t.Parallel()
	up, sink := newLiveOnly(t), new(recordingSink)
	f := startFollower(t, Config{URLs: []string{"ws" + strings.TrimPrefix(up.server.URL, "http")}, Sink: sink})
	send := func(ws *websocket.Conn, list ...[]byte) {
		for _, text := range list {
			require.NoError(t, ws.WriteMessage(websocket.TextMessage, text))
		}
	}
	first := up.connection(t)
	send(first, at{5, 0, 0}.message().V1, at{5, 0, 1}.message().V1, at{6, 0, 0}.after(5, 2).JSON)
	second := up.connection(t) // the follower asks for index 2
	for index := uint64(1); index <= 5; index++ {
		send(second, at{6, 0, index}.message().V1)
	}
	want := append(block(5, 0, 0, 1), block(6, 0, 0, 1, 2, 3, 4, 5)...)
	eventually(t, "all that was sent", func() bool { return len(sink.taken()) == len(want) })
	require.Equal(t, want, sink.taken())
	require.Equal(t, uint64(1), f.metrics.resumes.Get())
	send(second, at{7, 0, 0}.after(6, 6).JSON)
	eventually(t, "the next block", func() bool { return len(sink.taken()) == len(want)+1 })
	require.Equal(t, uint64(1), f.metrics.resumes.Get(), "it is cut again")
}
