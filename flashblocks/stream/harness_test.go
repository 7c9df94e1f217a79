// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

func TestMain(m *testing.M) {
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	// net/http lingers for half a second after a connection it has refused.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// patience is how long a test waits for something that must happen. It decides nothing else.
const patience = 30 * time.Second

// position is where a test message stands.
type position struct{ block, index uint64 }

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

func (h *harness) tryDial(path string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{HandshakeTimeout: patience, EnableCompression: true}
	ws, resp, err := dialer.Dial(h.url(path), nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	return ws, err
}

// publish publishes one message per index in [first, last] of a block.
func (h *harness) publish(block, first, last uint64) {
	for index := first; index <= last; index++ {
		h.hub.Publish(message(payloadID(block), block, index, 0))
	}
}

// eventually waits for a named condition.
func (h *harness) eventually(name string, condition func() bool) {
	h.t.Helper()
	require.Eventually(h.t, condition, patience, time.Millisecond, name)
}

// closed is how many clients ended for a cause.
func (h *harness) closed(cause closeCause) uint64 { return h.hub.m.closed[cause].Get() }

func payloadID(block uint64) (id engine.PayloadID) {
	binary.BigEndian.PutUint64(id[:], block)
	return id
}

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

// receive reads one message of any form.
func receive(ws *websocket.Conn) (flashblocks.Header, []byte, error) {
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	_, frame, err := ws.ReadMessage()
	if err != nil {
		return flashblocks.Header{}, nil, err
	}
	return flashblocks.DecodeHeader(frame, flashblocks.Limits{})
}

// expect reads the messages [first, last] of a block.
func expect(t testing.TB, ws *websocket.Conn, block, first, last uint64) {
	t.Helper()
	for index := first; index <= last; index++ {
		header, _, err := receive(ws)
		require.NoError(t, err, "waiting for %d/%d", block, index)
		require.Equal(t, position{block, index}, position{header.BlockNumber, header.Index})
	}
}

// expectClose reads up to the end of the connection and returns what came before the close frame.
func expectClose(t testing.TB, ws *websocket.Conn, code int) (got []position) {
	t.Helper()
	for {
		header, _, err := receive(ws)
		if err == nil {
			got = append(got, position{header.BlockNumber, header.Index})
			continue
		}
		var closed *websocket.CloseError
		require.ErrorAs(t, err, &closed, "want close %d", code)
		require.Equal(t, code, closed.Code, closed.Text)
		require.NotEmpty(t, closed.Text, "close frame without a reason")
		return got
	}
}
