// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// hasty is a clock by which lagPatience is over at every look.
func hasty() func() time.Time {
	var looks atomic.Int64
	return func() time.Time { return time.Unix(0, 0).Add(time.Duration(looks.Add(1)) * lagPatience) }
}

// stopped is a clock that stands still.
func stopped() time.Time { return time.Unix(1, 0) }

// dialSmall connects a client whose sockets hold little.
func (h *harness) dialSmall(path string) *websocket.Conn {
	h.t.Helper()
	raw := h.connectRaw()
	tcp, ok := raw.(*net.TCPConn)
	require.True(h.t, ok)
	require.NoError(h.t, tcp.SetReadBuffer(64<<10)) // reading through less takes a minute
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return raw, nil }}
	ws, resp, err := dialer.Dial(h.url(path), nil)
	require.NoError(h.t, err)
	_ = resp.Body.Close()
	return ws
}

// TestMaxLag: who had caught up and then is too many messages behind for too long is told so; who is
// behind for a moment, or replays the ring, gets everything.
func TestMaxLag(t *testing.T) {
	t.Parallel()
	const maxLag, messages = 4, 40
	for name, tc := range map[string]struct {
		now     func() time.Time
		replays bool
		cut     bool
	}{
		"too long":     {now: hasty(), cut: true},
		"for a moment": {now: stopped},
		"replays":      {now: hasty(), replays: true},
	} {
		for way, portable := range bothWays {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				h := newHarness(t, HubConfig{MaxLag: maxLag, WriteTimeout: patience, SendBuffer: 32 << 10, portable: portable, now: tc.now}, ServerConfig{})
				// 5 MiB cannot be in flight to a client that does not read.
				flood := func() {
					for index := range uint64(messages) {
						h.hub.Publish(message(teststream.PayloadID(1), 1, index, 1<<17))
					}
				}
				var ws *websocket.Conn
				if tc.replays {
					flood()
					ws = h.dialSmall("/?from=current")
				} else {
					ws = h.dialSmall("/")
					flood()
				}
				if !tc.cut {
					teststream.Expect(t, ws, 1, 0, messages-1)
					require.Zero(t, h.closed(causeLagged))
					return
				}
				for next := uint64(0); ; next++ {
					m, err := teststream.Read(ws)
					if err == nil {
						require.Equal(t, teststream.At(1, next), teststream.Of(m.Header), "no gap")
						continue
					}
					var closed *websocket.CloseError
					require.ErrorAs(t, err, &closed)
					require.Equal(t, websocket.CloseTryAgainLater, closed.Code)
					var behind uint64
					_, err = fmt.Sscanf(closed.Text, "too slow: %d messages behind; connect again and resume after the last one received", &behind)
					require.NoError(t, err, closed.Text)
					require.Greater(t, behind, uint64(maxLag))
					require.LessOrEqual(t, behind, messages-next)
					break
				}
				h.eventually("counted", func() bool { return h.closed(causeLagged) == 1 && h.hub.m.dropped.Get() == 1 })
			})
		}
	}
}

// TestLagIsTheClientsOwn: a burst that the socket has room for is nobody's lag, however late the writer is.
func TestLagIsTheClientsOwn(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{MaxLag: 1, now: hasty()}, ServerConfig{})
	ws := h.dial("/")
	h.publish(1, 0, 0)
	teststream.Expect(t, ws, 1, 0, 0)
	for block := uint64(2); block < 12; block++ {
		h.publish(block, 0, 9)
	}
	for block := uint64(2); block < 12; block++ {
		teststream.Expect(t, ws, block, 0, 9)
	}
}

// TestLagReasonFits into a close frame, RFC 6455 §5.5.
func TestLagReasonFits(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, len(lagReason(1<<64-1)), maxCloseReason)
}
