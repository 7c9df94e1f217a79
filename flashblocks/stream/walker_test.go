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
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

func TestDeflateOffers(t *testing.T) {
	t.Parallel()
	for offer, want := range map[string]bool{
		"":                   false,
		"permessage-deflate": true,
		"Permessage-Deflate; client_max_window_bits":                             true,
		"x-webkit-deflate-frame, permessage-deflate; client_no_context_takeover": true,
		"permessage-deflate; server_max_window_bits=10":                          false,
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":      true,
		"permessage-deflate-2":    false,
		"foo; permessage-deflate": false,
		"permessage-deflate; server_no_context_takeover; client_max_window_bits=9": true,
	} {
		r := &http.Request{Header: http.Header{"Sec-Websocket-Extensions": {offer}}}
		require.Equal(t, want, offersDeflate(r), offer)
	}
}

func TestHandshakeIsChecked(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	good := strings.Split(strings.TrimSpace(fmt.Sprintf(upgradeRequest, "/")), "\r\n")[1:]
	for name, tc := range map[string]struct {
		old, new string
		status   int
	}{
		"as it should be":   {"", "", http.StatusSwitchingProtocols},
		"lists and cases":   {"Connection: Upgrade", "connection: keep-alive, UPGRADE", http.StatusSwitchingProtocols},
		"several versions":  {"Version: 13", "Version: 8, 13", http.StatusSwitchingProtocols},
		"another version":   {"Version: 13", "Version: 8", http.StatusBadRequest},
		"key that is short": {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", http.StatusBadRequest},
		"key not in base64": {"dGhlIHNhbXBsZSBub25jZQ==", "????????????????????????", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := h.connectRaw()
			request := "GET / HTTP/1.1\r\n" + strings.Join(good, "\r\n") + "\r\n\r\n"
			_, err := io.WriteString(conn, strings.Replace(request, tc.old, tc.new, 1))
			require.NoError(t, err)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			_ = resp.Body.Close()
			require.Equal(t, tc.status, resp.StatusCode)
			if tc.status == http.StatusSwitchingProtocols {
				// RFC 6455 §1.3 gives the answer to this key.
				require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", resp.Header.Get("Sec-WebSocket-Accept"))
			} else {
				require.Equal(t, "13", resp.Header.Get("Sec-WebSocket-Version"))
			}
		})
	}
}

// TestOnlySocketsAreTried: whatever wraps a socket may do more than the socket, and is never bypassed.
func TestOnlySocketsAreTried(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{})
	conn := h.connectRaw()
	require.NotNil(t, rawOf(conn))
	require.Nil(t, rawOf(struct{ net.Conn }{conn}))
	tcp, ok := conn.(*net.TCPConn)
	require.True(t, ok)
	require.Nil(t, rawOf(struct{ *net.TCPConn }{tcp}))
}

// TestTricklingReaderGetsWholeFrames: a client that reads little by little, through a socket that never
// has room for a whole message, while both ends ping: every frame arrives whole and in order.
func TestTricklingReaderGetsWholeFrames(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const messages = 30
			h := newHarness(t, HubConfig{PingInterval: 16 * time.Millisecond, SendBuffer: 32 << 10, WriteTimeout: patience, portable: portable}, ServerConfig{})
			conn := h.connectRaw()
			tcp, ok := conn.(*net.TCPConn)
			require.True(t, ok)
			require.NoError(t, tcp.SetReadBuffer(64<<10))
			dialer := websocket.Dialer{ReadBufferSize: 512, NetDial: func(string, string) (net.Conn, error) { return conn, nil }}
			ws, resp, err := dialer.Dial(h.url("/"), nil)
			require.NoError(t, err)
			_ = resp.Body.Close()
			pongs := make(chan struct{}, 1)
			ws.SetPongHandler(func(data string) error {
				require.Equal(t, "ping", data)
				select {
				case pongs <- struct{}{}:
				default:
				}
				return nil
			})
			for index := range uint64(messages) {
				h.hub.Publish(message(teststream.PayloadID(1), 1, index, 1<<18))
			}
			for index := range uint64(messages) {
				require.NoError(t, ws.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(patience)))
				m, err := teststream.Read(ws)
				require.NoError(t, err)
				require.Equal(t, index, m.Index)
			}
			// It has caught up and is served like any other client again.
			last := uint64(messages)
			for answered := false; !answered; last++ {
				require.NoError(t, ws.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(patience)))
				h.publish(1, last, last)
				teststream.Expect(t, ws, 1, last, last)
				select {
				case <-pongs:
					answered = true
				default:
				}
			}
			require.InDelta(t, 1, h.hub.m.connections.Get(), 0)
			require.NoError(t, ws.Close())
		})
	}
}

// TestReplaysKeepNobodyWaiting: while many clients take all that is kept, a live one gets what is new.
func TestReplaysKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{Limit: 64}, ServerConfig{})
	live := h.dial("/")
	h.publish(1, 0, 499)
	teststream.Expect(t, live, 1, 0, 499)
	var replaying []*websocket.Conn
	for range 32 {
		replaying = append(replaying, h.dial("/?from=current"))
	}
	h.publish(2, 0, 9)
	teststream.Expect(t, live, 2, 0, 9)
	for _, ws := range replaying {
		teststream.Expect(t, ws, 1, 0, 499)
		teststream.Expect(t, ws, 2, 0, 9)
	}
}

// TestCloseIsAnswered: with the same code, or with 1002 if it is malformed, and then the connection ends.
func TestCloseIsAnswered(t *testing.T) {
	t.Parallel()
	for name, portable := range bothWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, HubConfig{portable: portable}, ServerConfig{})
			for i, tc := range []struct {
				payload string
				want    string
				cause   closeCause
			}{
				{"\x03\xe9leaving", "\x88\x02\x03\xe9", causePeer},
				{"", "\x88\x00", causePeer},
				{"\x03\xed", string(closeFrame(websocket.CloseProtocolError, errCloseBody.reason)), causeProtocol},
			} {
				before := h.closed(tc.cause)
				conn := h.upgradeRaw("/")
				_, err := conn.Write(clientFrame(opClose, []byte(tc.payload)))
				require.NoError(t, err)
				got, err := io.ReadAll(conn)
				require.NoError(t, err, "case %d", i)
				require.Equal(t, tc.want, string(got), "case %d", i)
				h.eventually("counted", func() bool { return h.closed(tc.cause) == before+1 })
			}
			require.Zero(t, h.hub.active.Load())
		})
	}
}
