// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/admission"
)

// stuckKeeper never decides about requests with a certain key.
type stuckKeeper struct {
	Gatekeeper
	entered chan struct{}
	release chan struct{}
}

// Admit implements Gatekeeper.
func (k *stuckKeeper) Admit(r *http.Request, key string) (*admission.Ticket, *admission.Refusal) {
	if key == "stuck" {
		close(k.entered)
		<-k.release
	}
	return k.Gatekeeper.Admit(r, key)
}

// TestShutdownIsNotHeldUp: connections that say nothing, do not finish their request or are never answered
// take no time from the drain, nor is the end of the proxy an error because of them.
func TestShutdownIsNotHeldUp(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	keeper := &stuckKeeper{Gatekeeper: keys(t, "app:one", true), entered: make(chan struct{}), release: make(chan struct{})}
	h := newHarness(t, Config{Admission: keeper, KeyRoutes: true, HandshakeTimeout: time.Hour}, up.URL("/"))
	h.connected(1)
	ws := h.dial("/ws")
	h.clients(1)
	up.PublishBlock(7, 0, 9)
	h.eventually("the proxy has all", func() bool { return h.figure("websocket_proxy_broadcast_queue_size") == 10 })

	var silent []net.Conn
	for _, sent := range []string{"", "G", "GET /ws HTTP/1.1\r\nHost: x\r\nConn", "GET /ws/stuck HTTP/1.1\r\nHost: x\r\n\r\n"} {
		dialer := net.Dialer{Timeout: patience}
		conn, err := dialer.DialContext(context.Background(), "tcp", h.cfg.Addr)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, sent)
		require.NoError(t, err)
		silent = append(silent, conn)
	}
	<-keeper.entered
	h.eventually("all are accepted", func() bool { return h.figure("flashblocks_stream_accept_total") == float64(1+len(silent)) })

	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		stopped <- h.proxy.Stop(ctx)
	}()
	teststream.Expect(t, ws, 7, 0, 9)
	closed, _ := teststream.Closed(t, ws)
	require.Equal(t, websocket.CloseGoingAway, closed.Code)
	require.NoError(t, <-stopped)
	close(keeper.release)
	for _, conn := range silent {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, err := io.Copy(io.Discard, conn)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is still open")
	}
}
