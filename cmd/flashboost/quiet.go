// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"net"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// quietStream is the stream to subscribers while there is no builder to take flashblocks from. op-conductor
// does not start without it.
type quietStream struct {
	hub    *stream.Hub
	server *stream.Server
}

func newQuietStream(addr string, limit int, set *metrics.Set) *quietStream {
	hub := stream.NewHub(stream.HubConfig{Limit: limit, NoPing: true, Metrics: set})
	return &quietStream{hub, stream.NewServer(stream.ServerConfig{Addr: addr, Handler: hub.Handler(), Metrics: set})}
}

// Start accepts subscribers.
func (q *quietStream) Start(ctx context.Context) error {
	if err := q.hub.Start(ctx); err != nil {
		return err
	}
	if err := q.server.Start(ctx); err != nil {
		return errors.Join(err, q.hub.Stop(ctx))
	}
	return nil
}

// Addr is the address listened on.
func (q *quietStream) Addr() net.Addr { return q.server.Addr() }

// Stop sends them away.
func (q *quietStream) Stop(ctx context.Context) error {
	return errors.Join(q.server.Stop(ctx), q.hub.Stop(ctx))
}
