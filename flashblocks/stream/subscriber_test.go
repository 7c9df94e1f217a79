// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// follow runs a subscriber until the test ends. Its messages and states come over one channel, in the
// order in which the handlers were called.
func follow(t *testing.T, cfg SubscriberConfig) (*Subscriber, <-chan any) {
	t.Helper()
	events := make(chan any, 10_000)
	if cfg.Handler == nil {
		cfg.Handler = func(d Delivery) { events <- d }
	}
	cfg.OnState = func(s State) { events <- s }
	setDefault(&cfg.BackoffMin, time.Millisecond)
	setDefault(&cfg.BackoffMax, 4*time.Millisecond)
	setDefault(&cfg.ReadTimeout, patience)
	s := NewSubscriber(cfg)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, s.Stop(ctx))
	})
	return s, events
}

func next[T any](t *testing.T, events <-chan any) T {
	t.Helper()
	for {
		select {
		case ev := <-events:
			if got, ok := ev.(T); ok {
				return got
			}
		case <-time.After(patience):
			require.FailNow(t, "nothing came")
		}
	}
}

func expectDelivery(t *testing.T, events <-chan any, block, index uint64) Delivery {
	t.Helper()
	d := next[Delivery](t, events)
	require.Equal(t, teststream.At(block, index), teststream.Of(d.Header))
	return d
}

func send(ws *websocket.Conn, block, index uint64) {
	_ = ws.WriteMessage(websocket.TextMessage, message(teststream.PayloadID(block), block, index, 0).V1)
}

func TestSubscriberKilledAgainAndAgainSeesEverythingOnce(t *testing.T) {
	t.Parallel()
	const blocks, last = 50, 9
	for _, path := range []string{"/?from=current&key=a%2Fb", "/binary?from=current", "/brotli?from=current"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{}, ServerConfig{})
			c := teststream.NewCutter(t, h.url(""))
			h.publish(1, 0, 0)
			_, events := follow(t, SubscriberConfig{URL: c.URL() + path})
			expectDelivery(t, events, 1, 0)

			var publishing sync.WaitGroup
			publishing.Go(func() {
				h.publish(1, 1, last)
				for block := uint64(2); block <= blocks; block++ {
					h.publish(block, 0, last)
				}
			})
			for n := uint64(1); n < blocks*(last+1); n++ {
				d := expectDelivery(t, events, 1+n/(last+1), n%(last+1))
				require.Equal(t, message(d.PayloadID, d.BlockNumber, d.Index, 0).V1, d.JSON)
				if n%17 == 0 {
					c.Cut()
				}
			}
			publishing.Wait()
			select {
			case ev := <-events:
				_, isDelivery := ev.(Delivery)
				require.False(t, isDelivery, "a message came twice")
			default:
			}
		})
	}
}

func TestSubscriberReconnects(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*websocket.Conn){
		"clean close": func(ws *websocket.Conn) {
			_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(patience))
		},
		"try again later": func(ws *websocket.Conn) {
			_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseTryAgainLater, "full"), time.Now().Add(patience))
		},
		"killed":             func(ws *websocket.Conn) { _ = ws.NetConn().Close() },
		"bad frame":          func(ws *websocket.Conn) { _, _ = ws.NetConn().Write([]byte{0xff, 0xff, 0xff}) },
		"not JSON":           func(ws *websocket.Conn) { _ = ws.WriteMessage(websocket.TextMessage, []byte(`{"payload_id":`)) },
		"not brotli":         func(ws *websocket.Conn) { _ = ws.WriteMessage(websocket.BinaryMessage, []byte{1, 2, 3}) },
		"over the limit":     func(ws *websocket.Conn) { _ = ws.WriteMessage(websocket.TextMessage, make([]byte, 5000)) },
		"frame over limit":   func(ws *websocket.Conn) { _, _ = ws.NetConn().Write([]byte{0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0}) },
		"lost in a message":  func(ws *websocket.Conn) { _, _ = ws.NetConn().Write([]byte{0x81, 100, '{'}) },
		"silent, pings lost": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			queries, release := make(chan url.Values, 10), make(chan struct{})
			target := teststream.Serve(t, func(n int, ws *websocket.Conn, query url.Values) {
				queries <- query
				send(ws, 1, uint64(n-1))
				switch {
				case n == 3:
					teststream.Linger(ws)
				case end == nil:
					<-release // never reads, so never answers a ping
				default:
					end(ws)
				}
			})
			cfg := SubscriberConfig{URL: target + "/ws?key=secret&from=current"}
			cfg.Limits.MaxDecoded, cfg.Limits.MaxCompressed = 4000, 4000
			if end == nil {
				cfg.PingInterval, cfg.ReadTimeout = 10*time.Millisecond, time.Second
			}
			_, events := follow(t, cfg)
			for index := range uint64(3) {
				require.True(t, next[State](t, events).Connected)
				expectDelivery(t, events, 1, index)
				query := <-queries
				require.Equal(t, "secret", query.Get("key"))
				if index > 0 {
					require.Equal(t, "1", query.Get("block_number"))
					require.Equal(t, []string{"0", "1"}[index-1], query.Get("flashblock_index"))
					require.Equal(t, teststream.PayloadID(1).String(), query.Get("payload_id"))
				} else {
					require.False(t, query.Has("block_number"))
				}
				if index < 2 {
					lost := next[State](t, events)
					require.False(t, lost.Connected)
					require.Error(t, lost.Reason)
				}
			}
			close(release)
		})
	}
}

func TestSubscriberLeavesOutReplayedMessages(t *testing.T) {
	t.Parallel()
	target := teststream.Serve(t, func(n int, ws *websocket.Conn, _ url.Values) {
		for index := range uint64(n) { // replays from the beginning, whatever is asked for
			send(ws, 1, index)
			send(ws, 1, index)
		}
		if n == 5 {
			teststream.Linger(ws)
		}
	})
	s, events := follow(t, SubscriberConfig{URL: target, Name: "a\"b"})
	for index := range uint64(5) {
		expectDelivery(t, events, 1, index)
	}
	require.NoError(t, s.Stop(t.Context()))
	for len(events) > 0 {
		require.IsNotType(t, Delivery{}, <-events, "a message came twice")
	}
}

func TestSubscriberSkipsWhatIsNoFlashblock(t *testing.T) {
	t.Parallel()
	target := teststream.Serve(t, func(_ int, ws *websocket.Conn, _ url.Values) {
		_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"jsonrpc":"2.0","method":"note"}`))
		send(ws, 1, 0)
		teststream.Linger(ws)
	})
	_, events := follow(t, SubscriberConfig{URL: target})
	require.True(t, next[State](t, events).Connected)
	expectDelivery(t, events, 1, 0)
}

// An upstream that fails at the same message after each resume is followed live in the end.
func TestSubscriberGivesUpAPositionThatDoesNotWork(t *testing.T) {
	t.Parallel()
	target := teststream.Serve(t, func(n int, ws *websocket.Conn, query url.Values) {
		switch {
		case n == 1:
			send(ws, 1, 0)
		case query.Has("block_number"):
			_ = ws.WriteMessage(websocket.TextMessage, []byte("{broken"))
		default:
			send(ws, 9, 4)
			teststream.Linger(ws)
		}
	})
	_, events := follow(t, SubscriberConfig{URL: target})
	expectDelivery(t, events, 1, 0)
	expectDelivery(t, events, 9, 4)
}

func TestSubscriberWaitsForItsHandler(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	h.publish(1, 0, 99)
	entered, release := make(chan struct{}), make(chan struct{})
	got := make(chan uint64, 200)
	follow(t, SubscriberConfig{URL: h.url("/?from=current"), Queue: 1, Handler: func(d Delivery) {
		if d.Index == 0 {
			close(entered)
			<-release
		}
		got <- d.Index
	}})
	<-entered
	h.eventually("the hub has written everything", func() bool { return h.hub.m.delivered.Get() == 100 })
	require.Empty(t, got)
	close(release)
	for index := range uint64(100) {
		require.Equal(t, index, <-got)
	}
}

func TestDedupeForgetsTheOldest(t *testing.T) {
	t.Parallel()
	d := newDedupe(3)
	for index := range uint64(4) {
		require.True(t, d.add(teststream.PayloadID(1), index))
		require.False(t, d.add(teststream.PayloadID(1), index))
	}
	require.True(t, d.add(teststream.PayloadID(2), 3), "another payload")
	require.False(t, d.add(teststream.PayloadID(1), 3))
	require.True(t, d.add(teststream.PayloadID(1), 0), "forgotten")
	require.Len(t, d.known, 3)
}
