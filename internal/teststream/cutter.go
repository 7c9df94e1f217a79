// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package teststream

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Cutter passes TCP connections on to a stream and cuts them on demand.
type Cutter struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	cuts  int
	over  bool
}

// NewCutter listens in front of the stream at a URL, until the end of the test.
func NewCutter(t testing.TB, target string) *Cutter {
	t.Helper()
	at, err := url.Parse(target)
	require.NoError(t, err)
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &Cutter{listener: listener, target: at.Host, conns: make(map[net.Conn]struct{})}
	c.wg.Go(c.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		c.mu.Lock()
		c.over = true
		c.mu.Unlock()
		c.Cut()
		c.wg.Wait()
	})
	return c
}

// URL is where the stream is found behind the cutter, without a path.
func (c *Cutter) URL() string { return "ws://" + c.listener.Addr().String() }

func (c *Cutter) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.wg.Go(func() { c.pass(conn) })
	}
}

// pass copies both ways until either side ends.
func (c *Cutter) pass(client net.Conn) {
	var d net.Dialer
	server, err := d.DialContext(context.Background(), "tcp", c.target)
	if err != nil {
		_ = client.Close()
		return
	}
	c.mu.Lock()
	c.conns[client], c.conns[server] = struct{}{}, struct{}{}
	if c.over { // it came in while the others were cut for the last time
		_ = client.Close()
		_ = server.Close()
	}
	c.mu.Unlock()
	var both sync.WaitGroup
	for _, ends := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			_, _ = io.Copy(ends[0], ends[1])
			_ = client.Close()
			_ = server.Close()
		})
	}
	both.Wait()
	c.mu.Lock()
	delete(c.conns, client)
	delete(c.conns, server)
	c.mu.Unlock()
}

// Cut ends every connection, as a broken network does.
func (c *Cutter) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.conns) > 0 {
		c.cuts++
	}
	for conn := range c.conns {
		_ = conn.Close()
	}
}

// Cuts is how often there was something to cut.
func (c *Cutter) Cuts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cuts
}
