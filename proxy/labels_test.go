// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// baseFigures are the names of Base's proxy, rollup-boost's and Mantle's.
var baseFigures = []string{
	"sent_messages", "failed_messages", "message_send_duration_count", "broadcast_queue_size", "new_connections",
	"closed_connections", "lagged_connections", "active_connections", "per_ip_rate_limited_requests",
	"global_rate_limited_requests", "unauthorized_requests", "upstream_errors", "upstream_connections",
	"upstream_connection_attempts", "upstream_connection_successes", "upstream_connection_failures", "bytes_broadcasted",
	"client_pong_disconnects", "ping_attempts", "ping_failures", "ping_sent", "rate_limited_requests", "bytes_compressed",
	`upstream_messages{upstream="127.0.0.1:1"}`, `connections_by_app{app="indexer"}`,
}

// TestFiguresAreZeroFromTheStart: "nothing happened" and "not scraped" must differ.
func TestFiguresAreZeroFromTheStart(t *testing.T) {
	t.Parallel()
	h := &harness{t: t, set: nil}
	cfg := Config{Addr: "127.0.0.1:0", Upstreams: []Upstream{{URL: "ws://127.0.0.1:1"}}}
	h.cfg = cfg.withDefaults()
	h.set = h.cfg.Metrics
	h.cfg.Admission = keysIn(t, "indexer:k", h.set)
	_, err := New(h.cfg)
	require.NoError(t, err)
	for _, name := range baseFigures {
		require.Zero(t, h.figure("websocket_proxy_"+name), name)
	}
}

// TestFiguresMove: the views are tied to the figures they show, not to names nobody counts in.
func TestFiguresMove(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{Compression: true}, up.URL("/"))
	h.connected(1)
	ws := h.dial("/ws")
	h.clients(1)
	up.PublishBlock(1, 0, 63)
	teststream.Expect(t, ws, 1, 0, 63)
	for name, want := range map[string]float64{
		"sent_messages": 64, "new_connections": 1, "active_connections": 1, "closed_connections": 0,
		"broadcast_queue_size": 64, `upstream_messages{upstream="` + up.Addr + `"}`: 64, "upstream_connection_attempts": 1,
		"upstream_connection_successes": 1, "upstream_connections": 1,
	} {
		h.eventually(name, func() bool { return h.figure("websocket_proxy_"+name) == want })
	}
	require.Positive(t, h.figure("websocket_proxy_bytes_compressed"))
	require.Equal(t, int(h.figure("websocket_proxy_bytes_compressed")), int(h.figure("websocket_proxy_bytes_broadcasted")))
	require.Positive(t, h.figure("websocket_proxy_message_send_duration_count"))
	require.NoError(t, ws.Close())
	h.eventually("the closed connection shows without any message", func() bool {
		return h.figure("websocket_proxy_active_connections") == 0 && h.figure("websocket_proxy_closed_connections") == 1
	})
	require.NoError(t, up.Stop())
	h.eventually("upstream errors", func() bool { return h.figure("websocket_proxy_upstream_errors") >= 1 })
	h.eventually("upstream failures", func() bool { return h.figure("websocket_proxy_upstream_connection_failures") >= 1 })
}

func TestParseLabels(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct{ good, bad int }{
		"": {0, 0}, "key=value": {1, 0}, "key=value,key2=value2": {2, 0}, "gibberish": {0, 1}, "key=value,key2=,": {1, 1},
		"=v": {0, 1}, " a=b , c=d=e ": {2, 0}, "1a=b": {0, 1}, "a-b=c": {0, 1},
	} {
		good, bad := ParseLabels(in)
		require.Len(t, good, want.good, in)
		require.Len(t, bad, want.bad, in)
	}
}

func TestLabelsOnEveryLine(t *testing.T) {
	t.Parallel()
	cfg := Config{Addr: "127.0.0.1:0", Upstreams: []Upstream{{URL: "ws://h:1"}}}.withDefaults()
	_, err := New(cfg)
	require.NoError(t, err)
	text := scrape(t, cfg.Metrics, Label{"region", `eu"1`}, Label{"tier", "edge"})
	require.Contains(t, text, `websocket_proxy_sent_messages{region="eu\"1",tier="edge"} 0`)
	require.Contains(t, text, `websocket_proxy_upstream_messages{region="eu\"1",tier="edge",upstream="h:1"} 0`)
	for line := range strings.Lines(text) {
		require.True(t, strings.HasPrefix(line, "#") || strings.Contains(line, `tier="edge"`), line)
	}
}
