// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// pipes is a listener whose connections are in memory, so that they can be part of a bubble of time. A write
// to one takes until it is read.
type pipes struct {
	dialled chan net.Conn
	closed  chan struct{}
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.dialled:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// dial connects a websocket client.
func (p *pipes) dial(t *testing.T, path string) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		p.dialled <- server
		return client, nil
	}}
	ws, resp, err := dialer.Dial("ws://pipe"+path, nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return ws
}

// newPipedProxy returns a proxy with the limits and timeouts of the program, whose clients come through pipes
// and whose messages are those given to its relay.
func newPipedProxy(t *testing.T, cfg Config) (*Proxy, *pipes) {
	t.Helper()
	cfg.Addr, cfg.Upstreams = "127.0.0.1:0", []Upstream{{URL: "ws://127.0.0.1:1"}}
	cfg.MaxLag, cfg.RingMessages = params.DefaultProxy.MessageBuffer, params.DefaultProxy.Ring()
	cfg.SendTimeout, cfg.PingInterval, cfg.PongTimeout = params.DefaultProxy.ClientSendTimeout, params.DefaultProxy.ClientPingInterval,
		params.DefaultProxy.ClientPongTimeout
	p, err := New(cfg)
	require.NoError(t, err)
	close(p.settled)
	require.NoError(t, p.hub.Start(context.Background()))
	listener := &pipes{dialled: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: p.routes()}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
		require.NoError(t, p.hub.Stop(context.Background()))
	})
	return p, listener
}
