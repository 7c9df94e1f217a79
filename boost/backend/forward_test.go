// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestForward(t *testing.T) {
	t.Parallel()
	const sent = "[{\"any\" :\"body\"}] \xff"
	const answer = "\x1f\x8bnot looked into"
	e := newEL(t, func(w http.ResponseWriter, r *http.Request) {
		requireBytes(t, sent, body(t, r))
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("X-Kept", "1")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, answer)
	})
	inbound := http.Header{
		"Host":                {"boost"},
		"Authorization":       {"Bearer of the client"},
		"Connection":          {"keep-alive, x-drop", "X-Drop2"},
		"X-Drop":              {"1"},
		"X-Drop2":             {"1"},
		"Keep-Alive":          {"timeout=5"},
		"Te":                  {"trailers"},
		"Upgrade":             {"h2c"},
		"Expect":              {"100-continue"},
		"Proxy-Authorization": {"Basic x"},
		"Transfer-Encoding":   {"chunked"},
		"Content-Length":      {"1"},
		"Content-Type":        {"application/json; charset=utf-8"},
		"Accept-Encoding":     {"gzip"},
		"User-Agent":          {"op-node"},
		"X-Many":              {"1", "2"},
	}
	before := inbound.Clone()
	c := newClient(t, e.URL, nil)
	reply, err := c.Forward(t.Context(), inbound, []byte(sent))
	require.NoError(t, err)
	require.Equal(t, before, inbound, "the caller's header was written to")
	require.Equal(t, http.StatusTeapot, reply.Status)
	require.Equal(t, answer, string(reply.Body))
	require.Equal(t, "1", reply.Header.Get("X-Kept"))
	require.Equal(t, "gzip", reply.Header.Get("Content-Encoding"))
	for _, name := range []string{"Connection", "X-Hop", "Content-Length"} {
		require.NotContains(t, reply.Header, name)
	}
	got := e.requests()[0]
	require.Equal(t, strings.TrimPrefix(e.URL, "http://"), got.host)
	require.NotEqual(t, "Bearer of the client", got.header.Get("Authorization"))
	got.header.Del("Authorization")
	require.Equal(t, http.Header{
		"Accept-Encoding": {"gzip"},
		"Content-Length":  {"19"},
		"Content-Type":    {"application/json; charset=utf-8"},
		"User-Agent":      {"op-node"},
		"X-Many":          {"1", "2"},
	}, got.header)
}

func TestForwardRefusedJWT(t *testing.T) {
	t.Parallel()
	e := newEL(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "signature is invalid", http.StatusUnauthorized)
	})
	_, err := newClient(t, e.URL, nil).Forward(t.Context(), nil, nil)
	require.ErrorIs(t, err, ErrAuth)
	require.ErrorContains(t, err, "signature is invalid")

	reply, err := newClient(t, e.URL, func(c *Config) { c.Secret = nil }).Forward(t.Context(), nil, nil)
	require.NoError(t, err, "without a secret it is between the client and the backend")
	require.Equal(t, http.StatusUnauthorized, reply.Status)
}

func TestForwardTimeoutAndLabel(t *testing.T) {
	t.Parallel()
	e := newEL(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := newClient(t, e.URL, func(cfg *Config) {
		cfg.Timeouts = map[string]time.Duration{"eth_call": time.Millisecond, "other": 2 * time.Millisecond}
	})
	_, err := c.ForwardMethod(t.Context(), "eth_call", nil, []byte("{}"))
	require.ErrorIs(t, err, ErrTimeout)
	require.Contains(t, exposition(c.cfg.Metrics), `method="eth_call",status="timeout"`)
}

func TestForwardLimit(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", trustedLength+pooledBuffer)
	e := newEL(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, large) })
	reply, err := newClient(t, e.URL, nil).Forward(t.Context(), nil, nil)
	require.NoError(t, err)
	require.Equal(t, large, string(reply.Body))
	_, err = newClient(t, e.URL, func(c *Config) { c.MaxResponse = int64(len(large)) - 1 }).Forward(t.Context(), nil, nil)
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = newClient(t, e.URL, func(c *Config) { c.MaxResponse = int64(len(large)) }).Forward(t.Context(), nil, nil)
	require.NoError(t, err)
}

// A status that net/http does not write, or that means an upgrade, is no answer that could be passed on.
func TestForwardRefusesOddStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"099 Odd", "000 Odd", "101 Switching Protocols"} {
		e := newEL(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, buf, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(buf, "HTTP/1.1 "+status+"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
			_ = buf.Flush()
			_ = conn.Close()
		})
		c := newClient(t, e.URL, nil)
		_, err := c.Forward(t.Context(), nil, []byte("{}"))
		require.ErrorIs(t, err, ErrStatus, status)
	}
}
