// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// connectRaw opens a TCP connection with small buffers.
func (h *harness) connectRaw() net.Conn {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.server.Addr().String())
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = conn.Close() })
	tcp, ok := conn.(*net.TCPConn)
	require.True(h.t, ok)
	require.NoError(h.t, tcp.SetReadBuffer(4096))
	require.NoError(h.t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

const upgradeRequest = "GET %s HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// upgradeRaw connects without a websocket library: nothing answers pings or reads.
func (h *harness) upgradeRaw(path string) net.Conn {
	h.t.Helper()
	conn := h.connectRaw()
	_, err := fmt.Fprintf(conn, upgradeRequest, path)
	require.NoError(h.t, err)
	// Byte by byte, to take nothing that comes after the header.
	var head []byte
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		var one [1]byte
		_, err := io.ReadFull(conn, one[:])
		require.NoError(h.t, err)
		head = append(head, one[0])
	}
	require.Contains(h.t, string(head), "101 Switching Protocols")
	return conn
}

// witness is an honest client that is served while others misbehave.
func (h *harness) witness() *websocket.Conn { return h.dial("/") }

func TestNeverReadingClientIsDroppedAndHarmsNobody(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{WriteTimeout: 2 * time.Second, SendBuffer: 1 << 16, portable: portable}, ServerConfig{})
			witness := h.witness()
			for range 20 {
				h.upgradeRaw("/")
			}
			// Until every one of them is gone: soon it is more than fits any socket buffer.
			block, deadline := uint64(1), time.Now().Add(patience)
			for h.closed(causeWrite) < 20 {
				require.True(t, time.Now().Before(deadline), "clients that never read are still connected")
				h.hub.Publish(message(teststream.PayloadID(block), block, 0, 1<<17))
				teststream.Expect(t, witness, block, 0, 0)
				block++
			}
			require.EqualValues(t, 20, h.hub.m.dropped.Get())
			require.InDelta(t, 1, h.hub.m.connections.Get(), 0)
		})
	}
}

func TestLaggingClientIsToldWhy(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{RingMessages: 8, WriteTimeout: patience, SendBuffer: 4096, portable: portable}, ServerConfig{})
			raw := h.connectRaw()
			dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return raw, nil }}
			lagging, resp, err := dialer.Dial(h.url("/"), nil)
			require.NoError(t, err)
			_ = resp.Body.Close()

			// 25 MiB cannot be in flight to a client that does not read.
			for index := range uint64(200) {
				h.hub.Publish(message(teststream.PayloadID(1), 1, index, 1<<17))
			}
			got := expectClose(t, lagging, websocket.CloseTryAgainLater)
			for i, p := range got {
				require.Equal(t, teststream.At(1, uint64(i)), p, "a client that is dropped has still seen no gap")
			}
			require.Less(t, len(got), 200)
			h.eventually("the drop is counted", func() bool { return h.hub.m.dropped.Get() == 1 })
			require.EqualValues(t, 1, h.closed(causeLagged))
		})
	}
}

func TestHalfOpenClientIsDropped(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{PingInterval: 16 * time.Millisecond, ReadTimeout: 6 * time.Second, portable: portable}, ServerConfig{})
			witness := h.witness()
			for range 10 {
				h.upgradeRaw("/")
			}
			// The witness lives by its pongs alone, which it sends while it waits here.
			alive := make(chan error, 1)
			go func() {
				_, err := teststream.Read(witness)
				alive <- err
			}()
			h.eventually("silent clients are dropped", func() bool { return h.closed(causeSilent) == 10 })
			h.publish(1, 0, 0)
			require.NoError(t, <-alive)
			require.InDelta(t, 1, h.hub.m.connections.Get(), 0)
		})
	}
}

func TestManyConnectAtOnce(t *testing.T) {
	t.Parallel()
	const clients = 300
	h := newHarness(t, HubConfig{Limit: clients + 1}, ServerConfig{})
	witness := h.witness()
	conns := make([]*websocket.Conn, clients)
	errs := make([]error, clients)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() { conns[i], errs[i] = h.tryDial("/") })
	}
	h.publish(1, 0, 9)
	teststream.Expect(t, witness, 1, 0, 9)
	wg.Wait()
	h.publish(2, 0, 0)
	for i, ws := range conns {
		require.NoError(t, errs[i])
		for {
			m, err := teststream.Read(ws)
			require.NoError(t, err)
			if m.BlockNumber == 2 {
				break
			}
		}
		require.NoError(t, ws.Close())
	}
}

func TestInboundFrames(t *testing.T) {
	t.Parallel()
	masked := func(opcode byte, payload int) []byte {
		frame := []byte{0x80 | opcode, 0x80 | byte(payload), 0, 0, 0, 0}
		if payload > 125 {
			frame = []byte{0x80 | opcode, 0x80 | 126, byte(payload >> 8), byte(payload), 0, 0, 0, 0}
		}
		return append(frame, make([]byte, payload)...)
	}
	var flood []byte
	for range 3 * inboundFrameRate { // over the rate even if a second passes in between
		flood = append(flood, masked(0x1, 1)...)
	}
	for name, tc := range map[string]struct {
		send []byte
		code int // 0: the connection lives
	}{
		"data is ignored":    {send: masked(0x2, 500)},
		"fragments":          {send: []byte{0x01, 0x80, 0, 0, 0, 0, 0x80, 0x80, 0, 0, 0, 0}},
		"oversize message":   {send: masked(0x1, 4000), code: websocket.CloseMessageTooBig},
		"unmasked frame":     {send: []byte{0x81, 0x01, 'x'}, code: websocket.CloseProtocolError},
		"reserved opcode":    {send: masked(0x5, 1), code: websocket.CloseProtocolError},
		"reserved bits":      {send: masked(0x71, 1), code: websocket.CloseProtocolError},
		"long control frame": {send: masked(0x9, 300), code: websocket.CloseProtocolError},
		"longest header":     {send: append([]byte{0x81, 0xff}, make([]byte, 12)...)},
		"huge frame":         {send: []byte{0x81, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, code: websocket.CloseMessageTooBig},
		"flood":              {send: flood, code: websocket.ClosePolicyViolation},
		"random bytes":       {send: []byte("GET / HTTP/1.1\r\n\r\n"), code: websocket.CloseProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for name, portable := range bothWays {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					h := newHarness(t, HubConfig{portable: portable}, ServerConfig{})
					witness, ws := h.witness(), h.dial("/")
					_, err := ws.NetConn().Write(tc.send)
					require.NoError(t, err)
					if tc.code == 0 {
						h.publish(1, 0, 0)
						teststream.Expect(t, ws, 1, 0, 0)
					} else {
						_, err := teststream.Read(ws)
						var closed *websocket.CloseError
						require.ErrorAs(t, err, &closed)
						require.Equal(t, tc.code, closed.Code)
						h.eventually("counted as a protocol error", func() bool { return h.closed(causeProtocol) == 1 })
						h.publish(1, 0, 0)
					}
					teststream.Expect(t, witness, 1, 0, 0)
				})
			}
		})
	}
}

func TestPingIsAnswered(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{portable: portable}, ServerConfig{})
			ws := h.dial("/")
			pongs := make(chan string, 1)
			ws.SetPongHandler(func(data string) error {
				pongs <- data
				h.publish(1, 0, 0)
				return nil
			})
			require.NoError(t, ws.WriteControl(websocket.PingMessage, []byte("payload"), time.Now().Add(patience)))
			teststream.Expect(t, ws, 1, 0, 0)
			require.Equal(t, "payload", <-pongs)
		})
	}
}

func TestSlowHandshakesHarmNobody(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{HandshakeTimeout: time.Second})
	var slow []net.Conn
	for i := range 50 {
		conn := h.connectRaw()
		_, err := conn.Write([]byte(upgradeRequest[:i])) // from nothing to half a request
		require.NoError(t, err)
		slow = append(slow, conn)
	}
	witness := h.witness()
	h.publish(1, 0, 4)
	teststream.Expect(t, witness, 1, 0, 4)
	for _, conn := range slow {
		_, err := io.Copy(io.Discard, conn)
		require.False(t, timedOut(err), "the server has not given up the connection")
	}
	h.eventually("no handshake is pending", func() bool { return h.server.pending.Load() == 0 })
}

func TestTooManyHandshakesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{Handshakes: 3, HandshakeTimeout: time.Second})
	witness := h.witness()
	for range 3 {
		h.connectRaw()
	}
	h.eventually("three handshakes are pending", func() bool { return h.server.pending.Load() == 3 })
	_, err := h.connectRaw().Read(make([]byte, 1))
	require.Error(t, err)
	require.EqualValues(t, 1, h.server.m.refused.Get())
	h.publish(1, 0, 0)
	teststream.Expect(t, witness, 1, 0, 0)
	h.eventually("the stalled ones timed out", func() bool { return h.server.pending.Load() == 0 })
	second := h.witness()
	h.publish(1, 1, 1)
	teststream.Expect(t, second, 1, 1, 1)
}

func TestRequestsThatAreNoUpgrade(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	for name, tc := range map[string]struct {
		request string
		status  int
	}{
		"plain GET":      {"GET / HTTP/1.1\r\nHost: hub\r\n\r\n", http.StatusUpgradeRequired},
		"no key":         {"GET / HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n", http.StatusBadRequest},
		"POST":           {"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", http.StatusMethodNotAllowed},
		"not HTTP":       {"\x16\x03\x01\x02\x00\r\n\r\n", http.StatusBadRequest},
		"endless header": {"GET / HTTP/1.1\r\nHost: hub\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := h.connectRaw()
			go func() { _, _ = io.WriteString(conn, tc.request) }() // the server may close before it has read all
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			_ = resp.Body.Close()
			require.Equal(t, tc.status, resp.StatusCode)
		})
	}
}

func TestOriginIsChecked(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") != "https://evil" }}, ServerConfig{})
	for origin, status := range map[string]int{"https://evil": http.StatusForbidden, "https://good": http.StatusSwitchingProtocols} {
		ws, resp, err := websocket.DefaultDialer.Dial(h.url("/"), http.Header{"Origin": {origin}})
		require.NotNil(t, resp)
		_ = resp.Body.Close()
		require.Equal(t, status, resp.StatusCode)
		if err == nil {
			require.NoError(t, ws.Close())
		}
	}
	require.EqualValues(t, 1, h.hub.m.handshake.Get())
}
