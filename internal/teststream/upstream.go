// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package teststream

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// Upstream is a server to subscribe to. It can be down, and its connections can be cut.
type Upstream struct {
	Down atomic.Bool // upgrades are answered with 503

	t       testing.TB
	server  *httptest.Server
	queries chan string          // of every upgrade
	clients chan *websocket.Conn // without a handler

	mu    sync.Mutex
	conns []net.Conn
}

// NewUpstream serves a handler until the end of the test, or nil for a plain builder that the test writes to
// itself, as op-rbuilder knows no resume.
func NewUpstream(t testing.TB, handler http.Handler) *Upstream {
	t.Helper()
	u := &Upstream{t: t, queries: make(chan string, 1024), clients: make(chan *websocket.Conn, 1024)}
	if handler == nil {
		handler = http.HandlerFunc(u.upgrade)
	}
	u.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u.Down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		select {
		case u.queries <- r.URL.RawQuery:
		default: // nobody asks for them
		}
		handler.ServeHTTP(w, r)
	}))
	u.server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if state == http.StateNew {
			u.conns = append(u.conns, conn)
		}
	}
	u.server.Start()
	t.Cleanup(func() {
		u.Cut()
		u.server.Close()
	})
	return u
}

func (u *Upstream) upgrade(w http.ResponseWriter, r *http.Request) {
	ws, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err == nil {
		u.clients <- ws
	}
}

// URL is where it is found, without a path.
func (u *Upstream) URL() string { return "ws" + strings.TrimPrefix(u.server.URL, "http") }

// Cut closes every connection.
func (u *Upstream) Cut() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, conn := range u.conns {
		_ = conn.Close()
	}
	u.conns = nil
}

// Client is the next connection to a plain upstream, whose pings are answered from now on.
func (u *Upstream) Client() *websocket.Conn {
	u.t.Helper()
	ws := await(u.t, u.clients)
	done := make(chan struct{})
	go func() {
		defer close(done)
		Linger(ws)
	}()
	u.t.Cleanup(func() { _ = ws.Close(); <-done })
	return ws
}

// Query is the raw query of the next upgrade that was not refused.
func (u *Upstream) Query() string {
	u.t.Helper()
	return await(u.t, u.queries)
}

// await waits for something that a subscriber does by connecting.
func await[T any](t testing.TB, what <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-what:
	case <-time.After(Patience):
		require.FailNow(t, "nobody connects")
	}
	return got
}

// Serve runs one function per connection, whose number counts from 1, until the end of the test. It returns the
// URL. The connection ends with the function.
func Serve(t testing.TB, serve func(n int, ws *websocket.Conn, query url.Values)) string {
	t.Helper()
	var serial atomic.Int64
	return NewUpstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		serve(int(serial.Add(1)), ws, r.URL.Query())
	})).URL()
}

// Linger reads, and so answers pings, until the other side leaves.
func Linger(ws *websocket.Conn) {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return
		}
	}
}
