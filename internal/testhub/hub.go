// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package testhub runs a hub of flashblocks/stream for tests to subscribe to. It is for tests only. Clients and other
// upstreams are in internal/teststream.
package testhub

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// Builder is a builder's stream: a hub behind a server on a free port of the loopback interface. Both can be stopped
// and started again. Its methods are not safe for concurrent use, except Publish of the hub.
type Builder struct {
	Addr string // host and port, the same after every start
	Hub  *stream.Hub

	t      testing.TB
	cfg    stream.HubConfig
	server *stream.Server
}

// New runs a builder's stream until the end of the test.
func New(t testing.TB, cfg stream.HubConfig) *Builder {
	t.Helper()
	b := &Builder{Addr: "127.0.0.1:0", t: t, cfg: cfg}
	b.Start()
	t.Cleanup(func() { require.NoError(t, b.Stop()) })
	return b
}

// Start serves in every form, on the same port as before, what was published before the hub is reached.
func (b *Builder) Start(before ...stream.Message) {
	b.t.Helper()
	b.Hub = stream.NewHub(b.cfg)
	for _, m := range before {
		b.Hub.Publish(m)
	}
	mux := http.NewServeMux()
	mux.Handle("/", b.Hub.Handler())
	mux.Handle("/binary", b.Hub.Endpoint(stream.FormBinary))
	mux.Handle("/brotli", b.Hub.Endpoint(stream.FormBrotli))
	require.NoError(b.t, b.Hub.Start(context.Background()))
	require.Eventually(b.t, func() bool {
		b.server = stream.NewServer(stream.ServerConfig{Addr: b.Addr, Handler: mux})
		return b.server.Start(context.Background()) == nil
	}, teststream.Patience, 10*time.Millisecond, "the port is free again")
	b.Addr = b.server.Addr().String()
}

// Stop ends the stream. Doing it twice is fine.
func (b *Builder) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), teststream.Patience)
	defer cancel()
	return errors.Join(b.server.Stop(ctx), b.Hub.Stop(ctx))
}

// URL is where it is found.
func (b *Builder) URL(path string) string { return "ws://" + b.Addr + path }

// Publish publishes flashblocks.
func (b *Builder) Publish(fbs ...*flashblocks.Flashblock) {
	for _, fb := range fbs {
		b.Hub.Publish(Message(fb))
	}
}

// PublishBlock publishes the indices [first, last] of a block, as teststream makes them.
func (b *Builder) PublishBlock(block, first, last uint64) {
	for index := first; index <= last; index++ {
		b.Publish(teststream.Flashblock(block, index))
	}
}

// Message is a flashblock as it is published.
func Message(fb *flashblocks.Flashblock) stream.Message {
	return stream.Message{PayloadID: fb.PayloadID, BlockNumber: fb.Metadata.BlockNumber, Index: fb.Index, V1: fb.AppendJSON(nil)}
}
