// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

func TestEveryClientGetsEverythingInOrder(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const clients, blocks, last = 200, 10, 9
			h := newHarness(t, HubConfig{Limit: clients, portable: portable}, ServerConfig{})
			paths := []string{"/", "/ws", "/v0", "/binary", "/brotli", "/any/other/path"}

			var wg sync.WaitGroup
			errs := make(chan error, clients)
			for i := range clients {
				ws := h.dial(paths[i%len(paths)])
				wg.Go(func() {
					for n := uint64(0); n < blocks*(last+1); n++ {
						want := teststream.At(1+n/(last+1), n%(last+1))
						m, err := teststream.Read(ws)
						if got := teststream.Of(m.Header); err != nil || got != want {
							errs <- fmt.Errorf("client %d: got %v, want %v: %w", i, got, want, err)
							return
						}
					}
				})
			}
			for block := uint64(1); block <= blocks; block++ {
				h.publish(block, 0, last)
			}
			wg.Wait()
			close(errs)
			for err := range errs {
				require.NoError(t, err)
			}
			h.eventually("every delivery is counted", func() bool { return h.hub.m.delivered.Get() == clients*blocks*(last+1) })
			require.EqualValues(t, blocks*(last+1), h.hub.m.published.Get())
			require.InDelta(t, clients, h.hub.m.connections.Get(), 0)
		})
	}
}

func TestFormsCarryTheSameText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		path      string
		deflate   bool
		frameType int
		compact   bool // the frame is much smaller than the text
	}{
		{path: "/", frameType: websocket.TextMessage},
		{path: "/", frameType: websocket.TextMessage, deflate: true},
		{path: "/binary", frameType: websocket.BinaryMessage},
		{path: "/brotli", frameType: websocket.BinaryMessage, compact: true},
	} {
		t.Run(fmt.Sprintf("%s deflate=%t", tc.path, tc.deflate), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{Deflate: tc.deflate}, ServerConfig{})
			ws := h.dial(tc.path)
			m := message(teststream.PayloadID(7), 7, 0, 100_000)
			h.hub.Publish(m)

			frameType, frame, err := ws.ReadMessage()
			require.NoError(t, err)
			require.Equal(t, tc.frameType, frameType)
			require.Equal(t, tc.compact, len(frame) < len(m.V1)/10, "%d bytes", len(frame))
			if !tc.compact {
				require.Equal(t, m.V1, frame)
			}
			h.hub.Publish(m)
			got, err := teststream.Read(ws)
			require.NoError(t, err)
			require.Equal(t, m.V1, got.JSON)
		})
	}
}

func TestDeflateIsOffUnlessConfigured(t *testing.T) {
	t.Parallel()
	for _, deflate := range []bool{false, true} {
		h := newHarness(t, HubConfig{Deflate: deflate}, ServerConfig{})
		dialer := websocket.Dialer{EnableCompression: true}
		ws, resp, err := dialer.Dial(h.url("/"), nil)
		require.NoError(t, err)
		_ = resp.Body.Close()
		require.Equal(t, deflate, resp.Header.Get("Sec-WebSocket-Extensions") != "")
		require.NoError(t, ws.Close())
	}
}

func TestV0EncoderRunsAtMostOnceAndOnlyOnDemand(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	var calls atomic.Int64
	counted := message(teststream.PayloadID(1), 1, 0, 0)
	inner := counted.V0
	counted.V0 = func() []byte { calls.Add(1); return inner() }

	v1 := h.dial("/")
	h.hub.Publish(counted)
	teststream.Expect(t, v1, 1, 0, 0)
	require.Zero(t, calls.Load(), "no v0 client is connected")

	var clients []*websocket.Conn
	for range 20 {
		clients = append(clients, h.dial("/v0?from=current"))
	}
	for _, ws := range clients {
		teststream.Expect(t, ws, 1, 0, 0)
	}
	require.EqualValues(t, 1, calls.Load())
}

func TestV0EncoderThatFailsCostsOneMessage(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	v0, v1 := h.dial("/v0"), h.dial("/")

	broken := message(teststream.PayloadID(1), 1, 1, 0)
	broken.V0 = func() []byte { panic("encoder") }
	absent := message(teststream.PayloadID(1), 1, 2, 0)
	absent.V0 = nil
	empty := message(teststream.PayloadID(1), 1, 3, 0)
	empty.V0 = func() []byte { return nil }
	sealed := message(teststream.PayloadID(1), 1, 4, 0)
	sealed.V1 = nil

	h.publish(1, 0, 0)
	for _, m := range []Message{broken, absent, empty, sealed} {
		h.hub.Publish(m)
	}
	h.publish(2, 0, 0)

	teststream.Expect(t, v0, 1, 0, 0)
	teststream.Expect(t, v0, 1, 4, 4)
	teststream.Expect(t, v0, 2, 0, 0)
	teststream.Expect(t, v1, 1, 0, 3)
	teststream.Expect(t, v1, 2, 0, 0)
	require.EqualValues(t, 1, h.hub.m.encodeFail.Get())
}

func TestLimit(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{Limit: 2}, ServerConfig{})
	first, second := h.dial("/"), h.dial("/v0")

	surplus := h.dial("/")
	require.Empty(t, expectClose(t, surplus, websocket.CloseTryAgainLater))
	require.EqualValues(t, 1, h.hub.m.rejected.Get())

	h.publish(1, 0, 0)
	teststream.Expect(t, first, 1, 0, 0)
	teststream.Expect(t, second, 1, 0, 0)

	require.NoError(t, second.Close())
	h.eventually("a departed client frees its slot", func() bool { return h.hub.active.Load() == 1 })
	third := h.dial("/?from=current")
	teststream.Expect(t, third, 1, 0, 0)
	require.EqualValues(t, 1, h.closed(causePeer))
}

func TestServeTellsTheEndOnce(t *testing.T) {
	t.Parallel()
	hub := NewHub(HubConfig{})
	var ends atomic.Int64
	server := NewServer(ServerConfig{Addr: "127.0.0.1:0", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub.Serve(w, r, FormText, func() { ends.Add(1) })
	})})
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	h := &harness{t: t, hub: hub, server: server}

	_, err := h.tryDial("/")
	require.ErrorIs(t, err, websocket.ErrBadHandshake, "the hub is not started")
	h.eventually("the refused request ended", func() bool { return ends.Load() == 1 })

	require.NoError(t, hub.Start(t.Context()))
	ws := h.dial("/")
	require.EqualValues(t, 1, ends.Load(), "connected")
	require.NoError(t, ws.Close())
	h.eventually("the client's end was told", func() bool { return ends.Load() == 2 })
	require.NoError(t, hub.Stop(context.Background()))
	require.EqualValues(t, 2, ends.Load())
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{portable: portable}, ServerConfig{})
			ws := h.dial("/")
			h.publish(1, 0, 99)

			stopped := make(chan error, 1)
			go func() { stopped <- h.hub.Stop(context.Background()) }()
			got := expectClose(t, ws, websocket.CloseGoingAway)
			require.Len(t, got, 100, "everything published before Stop arrives")
			require.NoError(t, <-stopped)
			require.EqualValues(t, 1, h.closed(causeShutdown))

			h.publish(2, 0, 0)
			require.EqualValues(t, 100, h.hub.m.published.Get(), "Publish after Stop does nothing")
			_, err := h.tryDial("/")
			require.ErrorIs(t, err, websocket.ErrBadHandshake)
			require.NoError(t, h.hub.Stop(context.Background()), "a second Stop is harmless")
		})
	}
}

func TestStopCutsOffWhoDoesNotDrain(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{WriteTimeout: patience, SendBuffer: 4096, portable: portable}, ServerConfig{})
			raw := h.upgradeRaw("/") // never reads
			for index := range uint64(100) {
				h.hub.Publish(message(teststream.PayloadID(1), 1, index, 1<<17))
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			// A context without a deadline that has ended already: no time to drain at all.
			require.ErrorIs(t, h.hub.Stop(ctx), ErrDrainTimeout)
			require.NoError(t, raw.Close())
		})
	}
}

func TestEndOfContextStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	hub := NewHub(HubConfig{})
	server := NewServer(ServerConfig{Addr: "127.0.0.1:0", Handler: hub.Handler()})
	require.NoError(t, hub.Start(ctx))
	require.NoError(t, server.Start(ctx))
	h := &harness{t: t, hub: hub, server: server}
	ws := h.dial("/")
	cancel()
	require.Empty(t, expectClose(t, ws, websocket.CloseGoingAway))
	require.NoError(t, hub.Stop(context.Background()))
	require.NoError(t, server.Stop(context.Background()))
}

func TestLifecycleErrors(t *testing.T) {
	t.Parallel()
	hub := NewHub(HubConfig{})
	hub.Publish(message(teststream.PayloadID(1), 1, 0, 0)) // before Start: kept for whoever comes
	server := NewServer(ServerConfig{Addr: "127.0.0.1:0", Handler: hub.Handler()})
	require.Nil(t, server.Addr())
	for _, component := range []interface {
		Start(ctx context.Context) error
		Stop(ctx context.Context) error
	}{hub, server} {
		require.NoError(t, component.Start(t.Context()))
		require.ErrorIs(t, component.Start(t.Context()), ErrStarted)
	}
	ws := (&harness{t: t, hub: hub, server: server}).dial("/?from=current")
	teststream.Expect(t, ws, 1, 0, 0)
	require.NoError(t, ws.Close())

	second := NewServer(ServerConfig{Addr: server.Addr().String()})
	require.ErrorContains(t, second.Start(t.Context()), "cannot listen on "+server.Addr().String())
	require.NoError(t, second.Stop(t.Context()))

	require.NoError(t, server.Stop(t.Context()))
	require.NoError(t, hub.Stop(t.Context()))
	require.ErrorIs(t, server.Start(t.Context()), ErrStopped)
	require.ErrorIs(t, hub.Start(t.Context()), ErrStopped)
}

func TestMetricsAreThereFromTheStart(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	var out bytes.Buffer
	h.set.WritePrometheus(&out)
	for _, line := range []string{
		"flashblocks_stream_connections 0\n",
		"flashblocks_stream_published_total 0\n",
		"flashblocks_stream_sent_bytes_total 0\n",
		"flashblocks_stream_dropped_slow_total 0\n",
		"flashblocks_stream_rejected_limit_total 0\n",
		"flashblocks_stream_handshake_errors_total 0\n",
		"flashblocks_stream_closed_total{reason=\"lagged\"} 0\n",
		"flashblocks_stream_accept_refused_total 0\n",
	} {
		require.Contains(t, out.String(), line)
	}
}
