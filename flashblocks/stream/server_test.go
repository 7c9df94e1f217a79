// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// slowBody is a request whose body never comes.
const slowBody = "POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\n"

// stalled are connections that hold up the orderly end of an HTTP server, each in its own way. Only the
// last has brought a request.
func (h *harness) stalled() (newcomers []net.Conn, active net.Conn) {
	h.t.Helper()
	for _, sent := range []string{"", "G", "GET / HTTP/1.1\r\nHost: hub\r\nConn", slowBody} {
		conn := h.connectRaw()
		_, err := io.WriteString(conn, sent)
		require.NoError(h.t, err)
		newcomers = append(newcomers, conn)
	}
	last := len(newcomers) - 1
	h.eventually("all are accepted and one is heard", func() bool {
		h.server.newcomers.mu.Lock()
		defer h.server.newcomers.mu.Unlock()
		return h.server.pending.Load() == int64(last)+1 && len(h.server.newcomers.conns) == last
	})
	return newcomers[:last], newcomers[last]
}

// TestStopIsNotHeldUp: whoever stalls in the middle of a request takes no time from the subscribers, who
// get everything and are told.
func TestStopIsNotHeldUp(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{HandshakeTimeout: time.Hour})
	ws := h.dial("/")
	newcomers, active := h.stalled()
	h.publish(1, 0, 99)

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, h.server.Stop(ctx))
	require.NoError(t, h.hub.Stop(ctx))
	require.Len(t, expectClose(t, ws, websocket.CloseGoingAway), 100)
	for _, conn := range append(newcomers, active) {
		_, err := io.Copy(io.Discard, conn)
		require.False(t, timedOut(err), "the connection is still open")
	}
}

// TestStopSaysWhenItsContextEnds before everybody was answered.
func TestStopSaysWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	server := NewServer(ServerConfig{Addr: "127.0.0.1:0", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})})
	require.NoError(t, server.Start(t.Context()))
	h := &harness{t: t, server: server}
	_, err := fmt.Fprintf(h.connectRaw(), upgradeRequest, "/")
	require.NoError(t, err)
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, server.Stop(ctx), context.Canceled)
}

// TestNewcomersAreCut, who have not brought a request, whoever has is not, and nobody is admitted after.
func TestNewcomersAreCut(t *testing.T) {
	t.Parallel()
	h := newHarness(t, HubConfig{}, ServerConfig{HandshakeTimeout: time.Hour})
	ws := h.dial("/")
	newcomers, active := h.stalled()
	h.server.newcomers.Cut()
	for _, conn := range append(newcomers, h.connectRaw()) {
		_, err := io.Copy(io.Discard, conn)
		require.False(t, timedOut(err), "the connection is still open")
	}
	h.eventually("only the request is pending", func() bool { return h.server.pending.Load() == 1 })
	_, err := active.Write(make([]byte, 100))
	require.NoError(t, err)
	resp := make([]byte, len("HTTP/1.1 426"))
	_, err = io.ReadFull(active, resp)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 426", string(resp))
	h.publish(1, 0, 0)
	teststream.Expect(t, ws, 1, 0, 0)
}
