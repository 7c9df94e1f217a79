// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package fanout

import (
	"context"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// sendBuffer is the default of flashproxy's --client-send-buffer.
const sendBuffer = 256 << 10

// Hub is the hub of flashproxy, behind the proxy's own settings.
type Hub struct {
	hub         *stream.Hub
	connections *metrics.Gauge
	sent        *metrics.Counter
	index       uint64
}

// NewHub returns a running hub. It runs until the process ends.
func NewHub() (*Hub, error) {
	set := metrics.NewSet()
	h := &Hub{hub: stream.NewHub(stream.HubConfig{
		Limit: 1 << 20, NoPing: true, WriteTimeout: time.Minute, Deflate: true, Metrics: set,
		SendBuffer: sendBuffer, Log: log.NewLogger(log.DiscardHandler()),
	})}
	h.connections = set.GetOrCreateGauge("flashblocks_stream_connections", nil)
	h.sent = set.GetOrCreateCounter("flashblocks_stream_delivered_total")
	return h, h.hub.Start(context.Background())
}

// Handler implements Shape.
func (h *Hub) Handler() http.Handler { return h.hub.Endpoint(stream.FormBinary) }

// Clients implements Shape.
func (h *Hub) Clients() int { return int(h.connections.Get()) }

// Publish implements Shape.
func (h *Hub) Publish(message []byte) {
	h.index++
	h.hub.Publish(stream.Message{BlockNumber: 1, Index: h.index, V1: message})
}

// Deliveries implements Counting: the hub writes to sockets only, not to what wraps them.
func (h *Hub) Deliveries() int64 { return int64(h.sent.Get()) }
