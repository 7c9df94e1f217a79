// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// patience is how long a test waits for something that must happen. It decides nothing else.
const patience = 30 * time.Second

// newTestService returns a service on free ports, whose upstream is nobody.
func newTestService(t *testing.T, change func(cfg *params.Proxy)) (*service, *params.Proxy) {
	t.Helper()
	cfg := params.DefaultProxy
	cfg.ListenAddr, cfg.Metrics = "127.0.0.1:0", false
	cfg.Upstreams = []string{"ws://127.0.0.1:1"}
	cfg.DrainTimeout = patience
	change(&cfg)
	require.NoError(t, cfg.Check())
	s, err := newService(&cfg)
	require.NoError(t, err)
	return s, &cfg
}

// TestCountsInRedisStayUntilTheClientsHaveGone: a signal to stop ends the context, but its clients are
// still there until they are drained, and other instances must count them.
func TestCountsInRedisStayUntilTheClientsHaveGone(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	s, cfg := newTestService(t, func(cfg *params.Proxy) { cfg.RedisURL = "redis://" + redis.Addr() })
	ctx, signal := context.WithCancel(context.Background())
	defer signal()
	require.NoError(t, s.start(ctx))

	total := func() string {
		for _, key := range redis.Keys() {
			if strings.HasPrefix(key, "flashblocks:instance:") {
				return redis.HGet(key, "total")
			}
		}
		return "none"
	}
	counted := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return total() == want }, patience, 5*time.Millisecond, "Redis counts %s", want)
	}
	connect := func() {
		t.Helper()
		ws, resp, err := websocket.DefaultDialer.Dial("ws://"+s.proxy.Addr().String()+"/ws", nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		t.Cleanup(func() { _ = ws.Close() })
		go func() { _, _, _ = ws.ReadMessage() }() // answers the close frame
	}
	connect()
	counted("1")
	signal()
	connect() // only somebody who still counts notices
	counted("2")
	require.NoError(t, s.stop(cfg))
	require.Equal(t, "none", total())
}
