// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package front

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
)

// The Engine API speaks HTTP/2 without TLS, as reth's client may.
func TestH2C(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url(),
		bytes.NewReader(eltest.Encode("engine_newPayloadV4", map[string]any{}, []any{}, eltest.Beacon, []any{})))
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 2, resp.ProtoMajor)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "engine_newPayloadV4")
}

// Connections that a client holds in reserve do not hold up the end: net/http alone would wait 5 s for each.
func TestReserveConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.server.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	answer := r.post(eltest.Encode("eth_chainId")).body
	require.Equal(t, "as it is", string(answer), "the server has accepted what came before")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	require.NoError(t, r.server.Stop(ctx))
}

// Nobody gets in behind a server that has stopped, and the probes need no token.
func TestDoor(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) {
		c.Secret = bytes.Repeat([]byte{7}, 32)
		c.Probes = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) })
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url()+"/healthz", http.NoBody)
	require.NoError(t, err)
	require.Equal(t, http.StatusPartialContent, r.do(req).status)
	require.NoError(t, r.server.Stop(t.Context()))
	r.server.Wait()
	r.server.serve(httptest.NewRecorder(), req)
	require.Empty(t, r.routes.made())
	require.False(t, r.server.enter())
}
