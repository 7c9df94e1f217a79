// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

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

// newPipedProxy returns a proxy with the defaults of the program whose clients come through pipes and whose
// messages are those given to its relay.
func newPipedProxy(t *testing.T) (*Proxy, *pipes) {
	t.Helper()
	p, err := New(Config{
		Addr: "127.0.0.1:0", Upstreams: []Upstream{{URL: "ws://127.0.0.1:1"}}, Clients: 10,
		MaxLag: params.DefaultProxy.MessageBuffer, RingMessages: params.DefaultProxy.Ring(), SendTimeout: params.DefaultProxy.ClientSendTimeout,
	})
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

// TestALaggingClientIsToldWhy: with every default and a builder's usual pace, a client whose link takes
// messages, but not as fast as they come, is closed with 1013 and a reason. It resumes without a hole, and
// may then be as far behind as it is.
func TestALaggingClientIsToldWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, listener := newPipedProxy(t)
		ws := listener.dial(t, "/ws")
		const blocks, perBlock = 20, 10
		builder := make(chan struct{})
		go func() {
			defer close(builder)
			for n := range uint64(blocks * perBlock) {
				p.relay.deliver(0, delivery(flashblock(1+n/perBlock, n%perBlock)))
				<-time.After(200 * time.Millisecond)
			}
		}()

		var next uint64
		read := func() error {
			header, _, _, err := receive(ws)
			if err == nil {
				require.Equal(t, position{1 + next/perBlock, next % perBlock}, position{header.BlockNumber, header.Index})
				next++
			}
			return err
		}
		began := time.Now()
		var err error
		for err == nil {
			<-time.After(300 * time.Millisecond) // what its link takes for one
			err = read()
		}
		var closed *websocket.CloseError
		require.ErrorAs(t, err, &closed)
		require.Equal(t, websocket.CloseTryAgainLater, closed.Code)
		require.Contains(t, closed.Text, fmt.Sprintf("%d messages behind", params.DefaultProxy.MessageBuffer+1))
		require.Greater(t, time.Since(began), 10*time.Second, "that many messages take their time")
		require.NoError(t, ws.Close())

		ws = listener.dial(t, fmt.Sprintf("/ws?block_number=%d&flashblock_index=%d&payload_id=%s",
			1+(next-1)/perBlock, (next-1)%perBlock, payloadID(1+(next-1)/perBlock)))
		for range 3 { // it is no faster, and further behind than allowed
			<-time.After(300 * time.Millisecond)
			require.NoError(t, read())
		}
		for next < blocks*perBlock {
			require.NoError(t, read())
		}
		<-builder
		require.NoError(t, ws.Close())
	})
}

// TestABriefHoldUpIsForgiven: an outage of the network, or of the upstream, after which everything comes at
// once.
func TestABriefHoldUpIsForgiven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, listener := newPipedProxy(t)
		ws := listener.dial(t, "/ws")
		const messages = 5 * 20
		for index := range uint64(messages) {
			p.relay.deliver(0, delivery(flashblock(1, index)))
		}
		<-time.After(900 * time.Millisecond)
		expect(t, ws, 1, 0, messages-1)
		p.relay.deliver(0, delivery(flashblock(1, messages)))
		expect(t, ws, 1, messages, messages)
		require.NoError(t, ws.Close())
	})
}
