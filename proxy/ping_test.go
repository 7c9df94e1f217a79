// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// await reads one message, however long it takes.
func await(ws *websocket.Conn) <-chan error {
	read := make(chan error, 1)
	go func() {
		_, _, err := ws.ReadMessage()
		read <- err
	}()
	return read
}

// TestAFilteredClientIsStillPinged: in Base's proxy the filter swallows pings, and the client is dropped
// at the pong timeout.
func TestAFilteredClientIsStillPinged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, listener := newPipedProxy(t, Config{ClientPing: true})
		ws := listener.dial(t, "/ws/filter?"+query([]common.Address{nobody}, nil, ""))
		pings := 0
		answer := ws.PingHandler()
		ws.SetPingHandler(func(data string) error {
			pings++
			return answer(data)
		})
		read := await(ws)
		p.relay.deliver(0, delivery(trade(t, 1, 1, flashblocks.DialectTrimmed))) // does not match
		select {
		case err := <-read:
			t.Fatalf("dropped, or not filtered: %v", err)
		case <-time.After(10 * params.DefaultProxy.ClientPongTimeout):
		}
		synctest.Wait()
		require.GreaterOrEqual(t, pings, 18)
		p.relay.deliver(0, delivery(&flashblocks.Flashblock{PayloadID: teststream.PayloadID(2), Index: 0, Base: teststream.Base(2), Metadata: flashblocks.Metadata{
			BlockNumber: 2, NewAccountBalances: []flashblocks.AccountBalance{{Address: nobody, Balance: uint256.NewInt(1)}},
		}}))
		require.NoError(t, <-read)
		require.NoError(t, ws.Close())
	})
}

// TestADeafClientIsDropped: it reads but never answers a ping. Others are not disturbed.
func TestADeafClientIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, listener := newPipedProxy(t, Config{ClientPing: true})
		deaf, good := listener.dial(t, "/ws"), listener.dial(t, "/ws")
		deaf.SetPingHandler(func(string) error { return nil })
		deafEnds, goodEnds := await(deaf), await(good)
		began := time.Now()
		require.Error(t, <-deafEnds)
		require.Equal(t, params.DefaultProxy.ClientPongTimeout, time.Since(began).Round(time.Second))
		select {
		case err := <-goodEnds:
			t.Fatalf("dropped: %v", err)
		case <-time.After(10 * params.DefaultProxy.ClientPongTimeout):
		}
		require.Contains(t, scrape(t, p.cfg.Metrics), "websocket_proxy_client_pong_disconnects 1\n")
		require.NoError(t, deaf.Close())
		require.NoError(t, good.Close())
		require.Error(t, <-goodEnds)
	})
}

// TestWithoutPingsASilentClientStays: Base's default.
func TestWithoutPingsASilentClientStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, listener := newPipedProxy(t, Config{})
		ws := listener.dial(t, "/ws")
		ws.SetPingHandler(func(string) error {
			t.Error("pinged")
			return nil
		})
		read := await(ws)
		<-time.After(10 * params.DefaultProxy.ClientPongTimeout)
		p.relay.deliver(0, delivery(teststream.Flashblock(1, 0)))
		require.NoError(t, <-read)
		require.NoError(t, ws.Close())
	})
}
