// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// A receiver that misses a message asks for another connection, gets it at once, from the position it
// names, and is not told of a lost upstream meanwhile.
func TestSubscriberResumesOnDemand(t *testing.T) {
	t.Parallel()
	queries := make(chan url.Values, 10)
	target := teststream.Serve(t, func(n int, ws *websocket.Conn, query url.Values) {
		queries <- query
		if n == 1 {
			send(ws, 7, 0)
			send(ws, 7, 2) // 7/1 is lost
		} else {
			send(ws, 7, 1)
			send(ws, 7, 2)
		}
		teststream.Linger(ws)
	})
	var held atomic.Uint64
	s, events := follow(t, SubscriberConfig{
		URL: target, Repeats: true, BackoffMin: time.Hour, BackoffMax: time.Hour,
		Position: func() (flashblocks.Header, bool) {
			index := held.Load()
			return flashblocks.Header{PayloadID: teststream.PayloadID(7), BlockNumber: 7, Index: index}, index > 0
		},
	})
	require.True(t, next[State](t, events).Connected)
	require.Empty(t, <-queries)
	expectDelivery(t, events, 7, 0)
	expectDelivery(t, events, 7, 2)

	held.Store(3) // any position that is not the subscriber's own
	s.Resume()
	s.Resume() // asks for nothing more
	query := <-queries
	require.Equal(t, []string{"7", "3"}, []string{query.Get(paramBlock), query.Get(paramIndex)})
	require.Equal(t, teststream.PayloadID(7).String(), query.Get(paramPayload))
	require.Equal(t, uint64(1), next[Delivery](t, events).Index, "a state came before, or nothing")
	expectDelivery(t, events, 7, 2)
	require.Empty(t, events)
}

// A resume that was asked for while there was no connection is done with the next connection.
func TestSubscriberForgetsAnOldResume(t *testing.T) {
	t.Parallel()
	target := teststream.Serve(t, func(n int, ws *websocket.Conn, _ url.Values) {
		block, pinged := uint64(n), false
		ws.SetPingHandler(func(string) error {
			if !pinged {
				pinged = true
				send(ws, block, 1)
			}
			return nil
		})
		send(ws, block, 0)
		teststream.Linger(ws)
	})
	events := make(chan any, 10)
	s := NewSubscriber(SubscriberConfig{
		URL: target, PingInterval: time.Millisecond, Handler: func(d Delivery) { events <- d },
	})
	s.Resume()
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, s.Stop(ctx))
	})
	expectDelivery(t, events, 1, 0)
	expectDelivery(t, events, 1, 1) // of the same connection, which has lived on to a ping
}

// An upstream that is away for many attempts is resumed from the position when it is back: what it says
// meanwhile, if anything, is not about the position.
func TestSubscriberKeepsItsPositionWhileTheUpstreamIsAway(t *testing.T) {
	t.Parallel()
	const away = 9 // attempts, more than resumeAttempts of each kind
	var (
		dials    atomic.Int64
		queries  = make(chan url.Values, away+2)
		statuses = []int{0, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests}
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(dials.Add(1))
		queries <- r.URL.Query()
		if n > 1 && n <= 1+away {
			status := statuses[n%len(statuses)]
			if status == 0 {
				panic(http.ErrAbortHandler) // no answer at all
			}
			w.WriteHeader(status)
			return
		}
		ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		send(ws, 1, uint64(n))
		if n > 1 {
			teststream.Linger(ws)
		}
	}))
	t.Cleanup(server.Close)
	_, events := follow(t, SubscriberConfig{URL: "ws" + strings.TrimPrefix(server.URL, "http")})
	expectDelivery(t, events, 1, 1)
	expectDelivery(t, events, 1, away+2)
	require.Empty(t, <-queries)
	for attempt := range away + 1 {
		query := <-queries
		require.Equal(t, []string{"1", "1"}, []string{query.Get(paramBlock), query.Get(paramIndex)}, "attempt %d", attempt)
	}
}
