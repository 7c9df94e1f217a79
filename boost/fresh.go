// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"net"
	"net/http"
	"sync"
)

// fresh holds the connections over which nothing has come yet. HTTP clients dial some in reserve, and net/http
// lets an orderly end wait 5 s for each, which is all the time there is.
type fresh struct {
	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// track is the server's ConnState.
func (f *fresh) track(conn net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(f.conns, conn)
	case f.closed:
		_ = conn.Close() // nobody waits for it
	default:
		if f.conns == nil {
			f.conns = make(map[net.Conn]struct{})
		}
		f.conns[conn] = struct{}{}
	}
}

// close closes them, and those that are still to come.
func (f *fresh) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for conn := range f.conns {
		_ = conn.Close() // nobody waits for it
	}
}
