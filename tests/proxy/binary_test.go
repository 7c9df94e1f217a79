// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// TestBinaryIsADropIn: the environment that Base's proxy is run with, its routes, and its metrics.
func TestBinaryIsADropIn(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	p := newProgram(t, []string{
		"UPSTREAM_WS=" + b.url(), "API_KEYS=indexer:k1,wallet:k2:1", "INSTANCE_CONNECTION_LIMIT=3", "PER_IP_CONNECTION_LIMIT=0",
		"ENABLE_COMPRESSION=true", "METRICS_GLOBAL_LABELS=region=test", "METRICS_HOST_LABEL=true", "CLIENT_PING_ENABLED=true",
	})
	_, status, err := teststream.TryDial(p.url("/ws"), nil, false)
	require.Error(t, err)
	require.Equal(t, http.StatusUnauthorized, status)
	ws, _, err := teststream.TryDial(p.url("/ws/k1"), nil, false)
	require.NoError(t, err)
	defer func() { _ = ws.Close() }()
	second, _, err := teststream.TryDial(p.url("/ws/k2"), nil, false)
	require.NoError(t, err)
	defer func() { _ = second.Close() }()
	_, status, err = teststream.TryDial(p.url("/ws/k2"), nil, false)
	require.Error(t, err)
	require.Equal(t, http.StatusTooManyRequests, status, "the limit of the application")

	b.publish()
	m, err := teststream.Read(ws)
	require.NoError(t, err)
	require.Zero(t, numberOf(m.Header))
	require.Eventually(t, func() bool {
		_, body, err := get(p.metrics, "/metrics")
		return err == nil && containsAll(body, `websocket_proxy_active_connections{region="test",hostname=`, `connections_by_app{region="test"`)
	}, patience, 20*time.Millisecond, "metrics")

	p.terminate()
	_, err = teststream.Read(ws)
	require.True(t, websocket.IsCloseError(err, websocket.CloseGoingAway), "%v", err)
}

func containsAll(text string, words ...string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// TestKeysFromAFile: keys that show neither in the environment nor in the list of processes.
func TestKeysFromAFile(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(file, []byte("# people\nindexer:k1\n\nwallet:k2:5 # ours\n"), 0o600))
	p := newProgram(t, nil, "--upstream-ws", b.url(), "--api-keys-file", file)
	for _, key := range []string{"k1", "k2"} {
		ws, _, err := teststream.TryDial(p.url("/ws"), http.Header{"X-Api-Key": {key}}, false)
		require.NoError(t, err)
		require.NoError(t, ws.Close())
	}
	p.terminate()
	require.NotContains(t, p.output.String(), "k1")
}

// TestBadSettingsStopStartUp: with one sentence and without a secret.
func TestBadSettingsStopStartUp(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	for _, args := range [][]string{
		{},
		{"--upstream-ws", "http://s3cret"},
		{"--upstream-ws", b.url(), "--api-keys", "s3cret"},
		{"--upstream-ws", b.url(), "--api-keys", "a:filter"},
		{"--upstream-ws", b.url(), "--trusted-proxy-cidrs", "300.0.0.0/8"},
		{"--upstream-ws", b.url(), "--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"},
		{"--upstream-ws", b.url(), "--listen-addr", b.Addr, "--metrics=false"},
		{"--upstream-ws", b.url(), "--listen-addr", "127.0.0.1:0", "--metrics-addr", b.Addr},
		{"--upstream-ws", b.url(), "--log-level", "loud"},
		{"--upstream-ws", b.url(), "--redis-url", "http://s3cret"},
		{"--upstream-ws", b.url(), "surplus"},
		{"--no-such-flag"},
	} {
		out, err := exec.Command(binaryPath, args...).CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "%v", args)
		require.Equal(t, 1, exit.ExitCode(), "%v", args)
		require.Contains(t, string(out), "flashproxy: ", "%v", args)
		require.NotContains(t, string(out), "s3cret", "%v", args)
		require.NotContains(t, string(out), "goroutine", "%v", args)
	}
}

// TestResumeThroughTwoRestarts: a subscriber rebuilds the whole stream although the program is killed
// twice, once without warning.
func TestResumeThroughTwoRestarts(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	args := []string{"--upstream-ws", b.url()}
	p := newProgram(t, nil, args...)
	ws, _, err := teststream.TryDial(p.url("/ws?from=current"), nil, false)
	require.NoError(t, err)
	next := uint64(0)
	expect := func(n int) (last string) {
		for range n {
			m, err := teststream.Read(ws)
			require.NoError(t, err)
			require.Equal(t, next, numberOf(m.Header))
			next++
			last = fmt.Sprintf("?block_number=%d&flashblock_index=%d&payload_id=%s", m.BlockNumber, m.Index, m.PayloadID)
		}
		return last
	}
	publish := func(n int) {
		for range n {
			b.publish()
		}
	}
	require.Eventually(t, func() bool {
		_, body, err := get(p.addr, "/readyz")
		return err == nil && strings.Contains(body, `"upstreams_connected":1`)
	}, patience, 10*time.Millisecond, "connected")
	publish(16)
	at := expect(16)
	p.terminate()
	publish(20)
	p.start(nil, args...)
	ws, _, err = teststream.TryDial(p.url("/ws"+at), nil, false)
	require.NoError(t, err)
	publish(5)
	at = expect(25)
	require.NoError(t, p.cmd.Process.Kill())
	<-p.done
	publish(30)
	p.start(nil, args...)
	ws, _, err = teststream.TryDial(p.url("/ws"+at), nil, false)
	require.NoError(t, err)
	publish(5)
	expect(35)
	p.terminate()
}

// TestBenchCommand: the load client against the program, with its memory.
func TestBenchCommand(t *testing.T) {
	t.Parallel()
	b := newBuilder(t)
	p := newProgram(t, nil, "--upstream-ws", b.url(), "--instance-connection-limit=0", "--per-ip-connection-limit=0")
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.publish()
			case <-stop:
				return
			}
		}
	}()
	out, err := exec.Command(binaryPath, "bench", "--connections=50", "--duration=1s", fmt.Sprintf("--pid=%d", p.cmd.Process.Pid), p.url("/ws")).CombinedOutput()
	close(stop)
	<-done
	require.NoError(t, err, string(out))
	require.True(t, containsAll(string(out), "50 of 50 admitted", "0 gaps, 0 holes", "0 duplicates, 0 out of order", "KiB per connection"), string(out))
}
