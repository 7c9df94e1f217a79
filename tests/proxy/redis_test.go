// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// startRedis runs a real redis-server on an address, and returns a function that kills it.
func startRedis(t *testing.T, addr string) (kill func()) {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, cmd.Start(), "the test needs redis-server, which .ci/run installs")
	killed := false
	kill = func() {
		if !killed {
			killed = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(kill)
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return false
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.Write([]byte("PING\r\n")); err != nil {
			return false
		}
		answer := make([]byte, 5)
		_, err = conn.Read(answer)
		return err == nil && string(answer) == "+PONG"
	}, patience, 10*time.Millisecond, "redis-server answers")
	return kill
}

// figure reads one metric of a program, -1 if it is not there.
func (p *program) figure(name string) float64 {
	_, body, err := get(p.metrics, "/metrics")
	if err != nil {
		return -1
	}
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				return -1
			}
			return f
		}
	}
	return -1
}

// TestTwoProxiesShareLimitsThroughRedis, and go on without it: a real Redis is killed and comes back
// empty while clients are connected.
func TestTwoProxiesShareLimitsThroughRedis(t *testing.T) {
	t.Parallel()
	redis := freeAddr(t)
	kill := startRedis(t, redis)
	b := newBuilder(t)
	env := []string{
		"UPSTREAM_WS=" + b.url(), "REDIS_URL=redis://" + redis, "PER_IP_CONNECTION_LIMIT=4", "INSTANCE_CONNECTION_LIMIT=10",
	}
	first, second := newProgram(t, env), newProgram(t, env)
	sharing := func() bool {
		return first.figure("websocket_proxy_redis_up") == 1 && second.figure("websocket_proxy_redis_up") == 1
	}
	require.Eventually(t, sharing, patience, 20*time.Millisecond, "both count together")

	var open []*websocket.Conn
	admitted := func(p *program) {
		t.Helper()
		ws, _, err := teststream.TryDial(p.url("/ws"), nil, false)
		require.NoError(t, err)
		t.Cleanup(func() { _ = ws.Close() })
		open = append(open, ws)
	}
	refused := func(p *program) bool {
		ws, status, err := teststream.TryDial(p.url("/ws"), nil, false)
		if err == nil {
			_ = ws.Close()
			return false
		}
		return status == http.StatusTooManyRequests
	}
	for range 2 {
		admitted(first)
		admitted(second)
	}
	require.True(t, refused(first), "the fifth of one address, over both")
	require.True(t, refused(second))

	kill()
	require.Eventually(t, func() bool { return first.figure("websocket_proxy_redis_up") == 0 || !refused(first) },
		patience, 20*time.Millisecond, "without Redis the limits are each proxy's own")
	admitted(first)
	for range 30 {
		b.publish()
	}
	for _, ws := range open[:4] { // nobody who was there notices
		for want := range uint64(30) {
			m, err := teststream.Read(ws)
			require.NoError(t, err)
			require.Equal(t, want, numberOf(m.Header))
		}
	}

	startRedis(t, redis)
	require.Eventually(t, sharing, patience, 50*time.Millisecond, "both count together again")
	require.Eventually(t, func() bool { return refused(first) && refused(second) }, patience, 50*time.Millisecond,
		"what is open counts in the new Redis")
	for _, ws := range open {
		require.NoError(t, ws.Close())
	}
	require.Eventually(t, func() bool { return !refused(first) && !refused(second) }, patience, 20*time.Millisecond, "places are given back")
}
