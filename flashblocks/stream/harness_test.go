// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testleak"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

func TestMain(m *testing.M) { testleak.Main(m) }

const patience = teststream.Patience

// harness is a hub behind a server on a free port of the loopback interface.
type harness struct {
	t      testing.TB
	hub    *Hub
	server *Server
	set    *metrics.Set
}

// newHarness runs a hub and a server until the test ends. Both configurations may be zero.
func newHarness(t testing.TB, hub HubConfig, server ServerConfig) *harness {
	t.Helper()
	set := metrics.NewSet()
	hub.Metrics, server.Metrics = set, set
	h := &harness{t: t, hub: NewHub(hub), set: set}

	mux := http.NewServeMux()
	mux.Handle("/", h.hub.Handler())
	mux.Handle("/binary", h.hub.Endpoint(FormBinary))
	mux.Handle("/brotli", h.hub.Endpoint(FormBrotli))
	server.Addr, server.Handler = "127.0.0.1:0", mux
	h.server = NewServer(server)

	require.NoError(t, h.hub.Start(t.Context()))
	require.NoError(t, h.server.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, h.server.Stop(ctx))
		if err := h.hub.Stop(ctx); err != nil {
			require.ErrorIs(t, err, ErrDrainTimeout)
		}
	})
	return h
}

// bothWays are the ways a client is written to: by a walker, and from a goroutine of its own.
var bothWays = map[string]bool{"walker": false, "portable": true}

func (h *harness) url(path string) string { return "ws://" + h.server.Addr().String() + path }

// dial connects a client that the test closes at its end.
func (h *harness) dial(path string) *websocket.Conn {
	h.t.Helper()
	ws, err := h.tryDial(path)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// tryDial connects a client that offers compression, as browsers do.
func (h *harness) tryDial(path string) (*websocket.Conn, error) {
	ws, _, err := teststream.TryDial(h.url(path), nil, true)
	return ws, err
}

// publish publishes one message per index in [first, last] of a block.
func (h *harness) publish(block, first, last uint64) {
	for index := first; index <= last; index++ {
		h.hub.Publish(message(teststream.PayloadID(block), block, index, 0))
	}
}

// eventually waits for a named condition.
func (h *harness) eventually(name string, condition func() bool) {
	h.t.Helper()
	require.Eventually(h.t, condition, patience, time.Millisecond, name)
}

// closed is how many clients ended for a cause.
func (h *harness) closed(cause closeCause) uint64 { return h.hub.m.closed[cause].Get() }

// message is a flashblock with pad bytes of ballast, in v1 and v0.
func message(payload engine.PayloadID, block, index uint64, pad int) Message {
	return Message{
		PayloadID: payload, BlockNumber: block, Index: index,
		V1: fmt.Appendf(nil, `{"payload_id":%q,"index":%d,"diff":{"pad":%q},"metadata":{"block_number":%d}}`,
			payload, index, strings.Repeat("f", pad), block),
		V0: func() []byte {
			return fmt.Appendf(nil, `{"payload_id":%q,"index":%d,"diff":{},"metadata":{"block_number":%d},"v0":true}`, payload, index, block)
		},
	}
}

// expectClose reads up to the end of the connection and returns what came before the close frame.
func expectClose(t testing.TB, ws *websocket.Conn, code int) []teststream.Position {
	t.Helper()
	closed, before := teststream.Closed(t, ws)
	require.Equal(t, code, closed.Code, closed.Text)
	require.NotEmpty(t, closed.Text, "close frame without a reason")
	return before
}
