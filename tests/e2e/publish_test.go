// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// TestPublishWaitsForNobody is the part of TestHostileClients that no clock decides. The clients that are
// stuck have an hour to take the first message, which their sockets have no room for: a Publish that waits
// for one of them, or for a handshake, does not return.
func TestPublishWaitsForNobody(t *testing.T) {
	t.Parallel()
	const (
		messages = 64
		size     = 128 << 10
		room     = 16 << 10 // of a socket, at either end; the kernel may double it
	)
	set := metrics.NewSet()
	hub := stream.NewHub(stream.HubConfig{WriteTimeout: time.Hour, NoPing: true, SendBuffer: room, Metrics: set})
	server := stream.NewServer(stream.ServerConfig{Addr: "127.0.0.1:0", Handler: hub.Handler(), HandshakeTimeout: time.Hour})
	require.NoError(t, hub.Start(t.Context()))
	require.NoError(t, server.Start(t.Context()))
	var stuck []io.Closer
	t.Cleanup(func() {
		for _, client := range stuck {
			_ = client.Close()
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, errors.Join(server.Stop(ctx), hub.Stop(ctx)))
	})

	url := "ws://" + server.Addr().String()
	good, err := dial(t.Context(), url, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = good.Close() })
	for range neverReading {
		ws, err := dial(t.Context(), url, room)
		require.NoError(t, err)
		stuck = append(stuck, ws)
	}
	for range halfOpen {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: ")
		require.NoError(t, err)
		stuck = append(stuck, conn)
	}
	connected := func() bool {
		var page strings.Builder
		set.WritePrometheus(&page)
		return strings.Contains(page.String(), fmt.Sprintf("flashblocks_stream_connections %d\n", neverReading+1))
	}
	harness.Eventually(t, "everybody is connected", connected)

	text := func(i int) string { return fmt.Sprintf(`{"index":%d,"padding":"%0*d"}`, i, size, 0) }
	published := make(chan struct{})
	go func() {
		defer close(published)
		for i := range messages {
			hub.Publish(stream.Message{BlockNumber: 1, Index: uint64(i), V1: []byte(text(i))})
		}
	}()
	select {
	case <-published:
	case <-time.After(patience):
		require.FailNow(t, "Publish waits for a client")
	}
	require.True(t, connected(), "the stuck clients were not given up meanwhile")

	require.NoError(t, good.SetReadDeadline(time.Now().Add(patience)))
	for i := range messages {
		kind, got, err := good.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, websocket.TextMessage, kind)
		if string(got) != text(i) { // too long to be shown
			require.Failf(t, "another message", "at the place of message %d", i)
		}
	}
}
