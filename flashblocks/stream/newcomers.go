// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"net"
	"net/http"
	"sync"
)

// Newcomers holds the connections of an http.Server over which no whole request header has come yet: the
// silent, those in the middle of a TLS handshake, and those that trickle. http.Server.Shutdown waits more
// than 5 s for them, which may be all the time there is for an orderly end. The zero value is ready for
// use; methods are safe for concurrent use.
type Newcomers struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	cut   bool
}

// Track is for http.Server.ConnState. It never waits.
func (n *Newcomers) Track(conn net.Conn, state http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(n.conns, conn)
	case n.cut:
		_ = conn.Close() // nobody waits for it
	default:
		if n.conns == nil {
			n.conns = make(map[net.Conn]struct{})
		}
		n.conns[conn] = struct{}{}
	}
}

// Cut closes the connections that have not brought a request, and from now on every new one. It is called
// right before http.Server.Shutdown.
func (n *Newcomers) Cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = true
	for conn := range n.conns {
		_ = conn.Close() // nobody waits for it
	}
	n.conns = nil
}
