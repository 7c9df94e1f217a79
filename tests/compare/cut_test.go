// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package compare

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cutter passes TCP connections on to a stream and cuts them on demand.
type cutter struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	cuts  int
}

// newCutter listens in front of a stream, until the end of the test.
func newCutter(t testing.TB, target string) *cutter {
	t.Helper()
	at, err := url.Parse(target)
	require.NoError(t, err)
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{listener: listener, target: at.Host, conns: make(map[net.Conn]struct{})}
	c.wg.Go(c.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		c.cut()
		c.wg.Wait()
	})
	return c
}

// url is where the stream is found behind the cutter.
func (c *cutter) url() string { return "ws://" + c.listener.Addr().String() }

func (c *cutter) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.wg.Go(func() { c.pass(conn) })
	}
}

// pass copies both ways until either side ends.
func (c *cutter) pass(client net.Conn) {
	var d net.Dialer
	server, err := d.DialContext(context.Background(), "tcp", c.target)
	if err != nil {
		_ = client.Close()
		return
	}
	c.mu.Lock()
	c.conns[client], c.conns[server] = struct{}{}, struct{}{}
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

// cut ends every connection, as a broken network does.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.conns) > 0 {
		c.cuts++
	}
	for conn := range c.conns {
		_ = conn.Close()
	}
}
