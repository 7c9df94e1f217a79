// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// relay is a websocket server between the builder's stream and boost. It passes every flashblock on, unless
// a fault says otherwise.
type relay struct {
	target string
	server *httptest.Server
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex
	fault streamFault // nil to pass everything on
	conns map[*relayed]struct{}
}

// streamFault returns what is sent in place of a flashblock.
type streamFault func(header flashblocks.Header, text []byte) [][]byte

// relayed is one connection of boost.
type relayed struct {
	down, up *websocket.Conn

	mu sync.Mutex // guards writing to down
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	r := &relay{conns: make(map[*relayed]struct{})}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(t.Context()))
	r.server = httptest.NewServer(r)
	t.Cleanup(func() {
		r.cancel()
		r.cut()
		r.server.Close()
		r.wg.Wait()
	})
	return r
}

// to sets where the relay leads and returns its own address.
func (r *relay) to(target string) string {
	r.target = target
	return "ws" + strings.TrimPrefix(r.server.URL, "http")
}

// set puts a fault in place of the present one, nil for none.
func (r *relay) set(f streamFault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = f
}

// cut ends every connection, as a network does.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		_ = c.down.NetConn().Close()
		_ = c.up.NetConn().Close()
	}
}

// inject sends messages to boost that the builder has not sent.
func (r *relay) inject(texts ...[]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.send(texts)
	}
}

// ServeHTTP implements http.Handler.
func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.ctx.Err() != nil {
		http.Error(w, "the test is over", http.StatusServiceUnavailable)
		return
	}
	up, resp, err := websocket.DefaultDialer.DialContext(req.Context(), r.target+req.URL.RequestURI(), nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	up.SetReadLimit(flashblocks.DefaultMaxDecoded)
	down, err := new(websocket.Upgrader).Upgrade(w, req, nil)
	if err != nil {
		_ = up.Close()
		return
	}
	c := &relayed{down: down, up: up}
	r.mu.Lock()
	r.conns[c] = struct{}{}
	r.mu.Unlock()
	r.wg.Go(func() {
		defer up.Close()
		for { // pings and pongs are answered while reading
			if _, _, err := down.ReadMessage(); err != nil {
				return
			}
		}
	})
	r.wg.Go(func() { r.pump(c) })
}

// pump passes flashblocks on until either side ends.
func (r *relay) pump(c *relayed) {
	defer func() {
		_ = c.down.Close()
		r.mu.Lock()
		delete(r.conns, c)
		r.mu.Unlock()
	}()
	for {
		_, text, err := c.up.ReadMessage()
		if err != nil {
			return
		}
		r.mu.Lock()
		change := r.fault
		r.mu.Unlock()
		out := [][]byte{text}
		if change != nil {
			if header, _, err := flashblocks.DecodeHeader(text, flashblocks.Limits{}); err == nil {
				out = change(header, text)
			}
		}
		c.send(out)
	}
}

// send writes messages to boost. A connection that is gone is noticed by its reader.
func (c *relayed) send(texts [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range texts {
		_ = c.down.WriteMessage(websocket.TextMessage, text)
	}
}
