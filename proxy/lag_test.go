// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// TestALaggingClientIsToldWhy: with every default and a builder's usual pace, a client whose link takes
// messages, but not as fast as they come, is closed with 1013 and a reason. It resumes without a hole, and
// may then be as far behind as it is.
func TestALaggingClientIsToldWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, listener := newPipedProxy(t, Config{})
		ws := listener.dial(t, "/ws")
		const blocks, perBlock = 20, 10
		builder := make(chan struct{})
		go func() {
			defer close(builder)
			for n := range uint64(blocks * perBlock) {
				p.relay.deliver(0, delivery(teststream.Flashblock(1+n/perBlock, n%perBlock)))
				<-time.After(200 * time.Millisecond)
			}
		}()

		var next uint64
		read := func() error {
			m, err := teststream.Read(ws)
			if err == nil {
				require.Equal(t, teststream.At(1+next/perBlock, next%perBlock), teststream.Of(m.Header))
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
			1+(next-1)/perBlock, (next-1)%perBlock, teststream.PayloadID(1+(next-1)/perBlock)))
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
		p, listener := newPipedProxy(t, Config{})
		ws := listener.dial(t, "/ws")
		const messages = 5 * 20
		for index := range uint64(messages) {
			p.relay.deliver(0, delivery(teststream.Flashblock(1, index)))
		}
		<-time.After(900 * time.Millisecond)
		teststream.Expect(t, ws, 1, 0, messages-1)
		p.relay.deliver(0, delivery(teststream.Flashblock(1, messages)))
		teststream.Expect(t, ws, 1, messages, messages)
		require.NoError(t, ws.Close())
	})
}
