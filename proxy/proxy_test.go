// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

func TestEveryClientGetsEveryMessageInOrder(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	h.connected(1)
	var clients []*websocket.Conn
	for range 5 {
		clients = append(clients, h.dial("/ws"))
	}
	h.clients(5)
	up.PublishBlock(10, 0, 10)
	up.PublishBlock(11, 0, 3)
	for _, ws := range clients {
		teststream.Expect(t, ws, 10, 0, 10)
		teststream.Expect(t, ws, 11, 0, 3)
	}
}

// TestFormsOfUpstreamAndClient: whatever the upstream sends in, a client gets the same bytes in the
// form it asked for, and binary frames if it did not ask, as from Base's proxy.
func TestFormsOfUpstreamAndClient(t *testing.T) {
	t.Parallel()
	want := teststream.Flashblock(5, 1).AppendJSON(nil)
	for _, in := range []string{"/", "/binary", "/brotli"} {
		for _, tc := range []struct {
			path        string
			compression bool
			text        bool
			kind        int
			brotli      bool
		}{
			{path: "/ws", kind: websocket.BinaryMessage},
			{path: "/ws?format=text", kind: websocket.TextMessage},
			{path: "/ws?format=binary", text: true, kind: websocket.BinaryMessage},
			{path: "/ws?x=deflate", kind: websocket.BinaryMessage},
			{path: "/ws", text: true, kind: websocket.TextMessage},
			{path: "/ws", compression: true, kind: websocket.BinaryMessage, brotli: true},
			{path: "/ws?format=text", compression: true, kind: websocket.TextMessage},
			{path: "/ws?format=brotli&x=deflate", compression: true, kind: websocket.BinaryMessage, brotli: true},
		} {
			t.Run(fmt.Sprintf("%s to %s compression=%v text=%v", in, tc.path, tc.compression, tc.text), func(t *testing.T) {
				t.Parallel()
				up := newUpstream(t)
				h := newHarness(t, Config{Compression: tc.compression, TextFrames: tc.text, Deflate: true}, up.URL(in))
				h.connected(1)
				ws := h.dial(tc.path)
				h.clients(1)
				up.PublishBlock(5, 1, 1)
				require.NoError(t, ws.SetReadDeadline(time.Now().Add(patience)))
				kind, frame, err := ws.ReadMessage()
				require.NoError(t, err)
				require.Equal(t, tc.kind, kind)
				require.Equal(t, tc.brotli, frame[0] != '{')
				text, err := flashblocks.Plain(frame, flashblocks.Limits{})
				require.NoError(t, err)
				require.Equal(t, string(want), string(text))
			})
		}
	}
}

// TestProxiesThreeDeep: a proxy is a valid upstream of a proxy, also with keys and compression, and a
// client that loses the last one resumes at it.
func TestProxiesThreeDeep(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	first := newHarness(t, Config{}, up.URL("/"))
	second := newHarness(t, Config{Compression: true, KeyRoutes: true, Admission: keys(t, "edge:s3cret", false)}, first.url("/ws"))
	third := newHarness(t, Config{}, second.url("/ws/s3cret"))
	for _, h := range []*harness{first, second, third} {
		h.connected(1)
	}
	v1, v0 := third.dial("/ws"), third.dial("/v0")
	third.clients(2)
	first.eventually("notices are followed", func() bool { return first.figure(`websocket_proxy_active_connections`) == 2 })
	second.eventually("notices are followed", func() bool { return second.figure(`websocket_proxy_active_connections`) == 2 })

	// Notices of sealing take a connection of their own: their order among the flashblocks is not given.
	up.PublishBlock(10, 0, 10)
	teststream.Expect(t, v1, 10, 0, 10)
	require.Equal(t, []string{
		"10/0", "10/1", "10/2", "10/3", "10/4", "10/5", "10/6", "10/7", "10/8", "10/9", "10/10",
	}, notices(t, v0, 11))
	publishSealed(up, 10, 10)
	require.Equal(t, []string{"10/10 sealed"}, notices(t, v0, 1))
	up.PublishBlock(11, 0, 2)
	teststream.Expect(t, v1, 11, 0, 2)
	require.Equal(t, []string{"11/0", "11/1", "11/2"}, notices(t, v0, 3))
	require.NoError(t, v1.Close())

	again := third.dial("/ws?block_number=10&flashblock_index=8")
	teststream.Expect(t, again, 10, 9, 10)
	teststream.Expect(t, again, 11, 0, 2)
	up.PublishBlock(11, 3, 3)
	teststream.Expect(t, again, 11, 3, 3)
}

// TestResumeThroughRestarts: a client that resumes misses nothing and gets nothing twice, although the
// proxy was restarted, because the proxy fills its ring from upstream first.
func TestResumeThroughRestarts(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	h.connected(1)
	ws := h.dial("/ws?from=current")
	up.PublishBlock(10, 0, 4)
	teststream.Expect(t, ws, 10, 0, 4)
	for block := uint64(10); block < 13; block++ {
		h.stop()
		closed, _ := teststream.Closed(t, ws)
		require.Equal(t, websocket.CloseGoingAway, closed.Code)
		up.PublishBlock(block, 5, 10) // nobody is there to hear it
		up.PublishBlock(block+1, 0, 1)
		h.start()
		ws = h.dial(fmt.Sprintf("/ws?block_number=%d&flashblock_index=4&payload_id=%s", block, teststream.PayloadID(block)))
		up.PublishBlock(block+1, 2, 4)
		teststream.Expect(t, ws, block, 5, 10)
		teststream.Expect(t, ws, block+1, 0, 4)
	}
}

// TestUpstreamRestart: the proxy resumes upstream after its last message without disturbing clients.
func TestUpstreamRestart(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	h.connected(1)
	ws := h.dial("/ws")
	h.clients(1)
	up.PublishBlock(10, 0, 4)
	teststream.Expect(t, ws, 10, 0, 4)
	require.NoError(t, up.Stop())
	up.Start()
	up.PublishBlock(10, 0, 6) // the same again from its archive, then new ones
	teststream.Expect(t, ws, 10, 5, 6)
	h.eventually("connected again", func() bool { return h.figure("websocket_proxy_upstream_connections") == 1 })
	up.PublishBlock(10, 7, 7)
	teststream.Expect(t, ws, 10, 7, 7)
	require.Zero(t, h.figure("websocket_proxy_equivocations"))
}

func TestShutdownDrainsAndSaysSo(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	h.connected(1)
	ws := h.dial("/ws")
	h.clients(1)
	up.PublishBlock(7, 0, 9)
	h.eventually("the proxy has all", func() bool { return h.figure("websocket_proxy_broadcast_queue_size") == 10 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.stop()
	}()
	teststream.Expect(t, ws, 7, 0, 9)
	closed, _ := teststream.Closed(t, ws)
	require.Equal(t, websocket.CloseGoingAway, closed.Code)
	require.NotEmpty(t, closed.Text)
	<-done
	require.ErrorIs(t, h.proxy.Start(context.Background()), ErrStopped)
}

func TestLifecycleErrors(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Addr: "127.0.0.1:0"})
	require.ErrorIs(t, err, ErrNoUpstream)

	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	require.ErrorIs(t, h.proxy.Start(context.Background()), ErrStarted)

	taken, err := New(Config{Addr: h.cfg.Addr, Upstreams: h.cfg.Upstreams})
	require.NoError(t, err)
	require.ErrorContains(t, taken.Start(context.Background()), h.cfg.Addr)

	bad, err := New(Config{Addr: "127.0.0.1:0", Upstreams: []Upstream{{URL: "http://nowhere"}}})
	require.NoError(t, err)
	require.ErrorContains(t, bad.Start(context.Background()), "ws://")
}
