// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// F17: who comes in mid-block is given the block from its base, whether it knows how to ask for it or not.
func TestRelayReplaysToJoiners(t *testing.T) {
	t.Parallel()
	u := teststream.NewUpstream(t, nil)
	h := newRelayHarness(t, RelayConfig{Upstream: u.URL()})
	h.live(1, 9)
	first := h.dial("/ws")
	builder := u.Client()
	send(t, builder, 9, 0, 1)
	expect(t, first, 9, 0, 1)
	for _, path := range []string{"/", "/ws", "/?from=current"} {
		expect(t, h.dial(path), 9, 0, 1)
	}
	require.Contains(t, receive(t, h.dial("/v0")), `"index":0,`)
	expect(t, h.dial("/?block_number=100&flashblock_index=0"), 9, 1)
}

// F17: a subscriber that does not read keeps nobody waiting. When it reads on, it gets everything in order, or
// up to the end of its connection, after which it resumes: never a gap.
func TestRelaySlowSubscriberHarmsOnlyItself(t *testing.T) {
	t.Parallel()
	u := teststream.NewUpstream(t, nil)
	h := newRelayHarness(t, RelayConfig{Upstream: u.URL()})
	slow, quick := h.dial("/"), h.dial("/")
	h.live(1, 9)
	builder := u.Client()
	const count = 40 // 20 MiB, which no pair of sockets holds
	for index := range uint64(count) {
		fb := flashblock(9, index)
		fb.Diff.Transactions = append(fb.Diff.Transactions, make([]byte, 256<<10))
		require.NoError(t, builder.WriteMessage(websocket.TextMessage, fb.AppendJSON(nil)))
		expect(t, quick, 9, index)
		if index == 0 {
			expect(t, slow, 9, index) // it is served like any other, until it stops reading
		}
	}
	require.Less(t, h.counter("flashblocks_stream_delivered_total"), uint64(2*count), "the slow one has not got everything")
	for index := uint64(1); index < count; index++ {
		require.NoError(t, slow.SetReadDeadline(time.Now().Add(patience)))
		_, text, err := slow.ReadMessage()
		if err != nil {
			// Too slow for the relay on this machine.
			h.eventually("the drop is counted", func() bool { return h.counter("flashblocks_stream_dropped_slow_total") >= 1 })
			slow = h.dial(fmt.Sprintf("/?block_number=%d&flashblock_index=%d", testNumber, index-1))
			expect(t, slow, 9, index)
			continue
		}
		header, _, err := flashblocks.DecodeHeader(text, flashblocks.Limits{})
		require.NoError(t, err)
		require.Equal(t, index, header.Index)
	}
}

// TestRelayStopTellsSubscribers, whoever is in the middle of a handshake.
func TestRelayStopTellsSubscribers(t *testing.T) {
	t.Parallel()
	u := teststream.NewUpstream(t, nil)
	h := newRelayHarness(t, RelayConfig{Upstream: u.URL(), handshake: time.Hour})
	ws := h.dial("/")
	h.live(1, 9)
	send(t, u.Client(), 9, 0, 1)
	expect(t, ws, 9, 0)
	h.eventually("both have come", func() bool { return h.counter("rollup_boost_flashblocks_service_messages_processed") == 2 })
	// Silent, in the middle of a header, and with a body that never comes, in which the header was answered.
	for _, sent := range []string{"", "GET / HTTP/1.1\r\nHost", "POST / HTTP/1.1\r\nHost: relay\r\nContent-Length: 100\r\n\r\n"} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", h.relay.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = conn.Write([]byte(sent))
		require.NoError(t, err)
		if strings.HasPrefix(sent, "POST") {
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
			_, err = conn.Read(make([]byte, 1))
			require.NoError(t, err)
		}
	}
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		stopped <- h.relay.Stop(ctx)
	}()
	expect(t, ws, 9, 1)
	_, _, err := ws.ReadMessage()
	require.True(t, websocket.IsCloseError(err, websocket.CloseGoingAway), err)
	require.NoError(t, <-stopped)
}
