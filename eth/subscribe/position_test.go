// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// positions subscribes to the positions as they come.
func positions(t *testing.T, client *rpc.Client) <-chan json.RawMessage {
	t.Helper()
	items := make(chan json.RawMessage, 1000)
	sub, err := client.Subscribe(t.Context(), "flashblocks", items, "position")
	require.NoError(t, err)
	t.Cleanup(sub.Unsubscribe)
	return items
}

// Every flashblock gives one position, what flashblocks_getPosition answers, and there is one more when pending
// becomes latest. A block that becomes canonical underneath changes nothing.
func TestSubscribePosition(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ws := httptest.NewServer(h.server.WebsocketHandler([]string{"*"}))
	t.Cleanup(ws.Close)
	socket, err := rpc.DialContext(t.Context(), "ws"+strings.TrimPrefix(ws.URL, "http"))
	require.NoError(t, err)
	t.Cleanup(socket.Close)
	readers := map[string]<-chan json.RawMessage{
		"in process": positions(t, h.client),
		"websocket":  positions(t, socket),
	}
	expect := func(when, want string) {
		t.Helper()
		for name, items := range readers {
			require.JSONEq(t, want, string(receiveItem[json.RawMessage](t, items)), "%s, %s", name, when)
		}
	}
	expectAll := func(when string, number uint64, parent common.Hash, list ...*flashblocks.Flashblock) {
		t.Helper()
		var want []byte
		for _, fb := range list {
			var err error
			want, err = json.Marshal(object{
				"blockNumber": ethtest.HexUint(number), "index": ethtest.HexUint(fb.Index), "id": fb.PayloadID, "parentHash": parent,
			})
			require.NoError(t, err)
			expect(when, string(want))
		}
		require.JSONEq(t, string(want), h.Follower.Call("flashblocks_getPosition").Result, when)
	}

	genesis := h.Sequencer.GenesisHash()
	expectAll("the first flashblock", 1, genesis, h.Begin())
	expectAll("more of them", 1, genesis, h.deliverUntil(h.Poke())...)
	other := h.Build(h.Sequencer.Eth.BlockChain().CurrentBlock(), 1)
	h.Deliver(other)
	expectAll("another attempt", 1, genesis, other)
	expectAll("more of that", 1, genesis, h.deliverUntil(h.Poke())...)

	sealed := h.Seal()
	h.drainTo(func(fb *flashblocks.Flashblock) { expectAll("the rest", 1, genesis, fb) })
	first := sealed.ExecutionPayload.BlockHash
	expectAll("on a pending parent", 2, first, h.Begin())
	h.Settle(sealed) // the same position
	expectAll("on a canonical parent", 2, first, h.deliverUntil(h.Poke())...)

	sealed = h.Seal()
	h.drainTo(func(fb *flashblocks.Flashblock) { expectAll("the rest", 2, first, fb) })
	h.Settle(sealed)
	expect("latest", "null")
	expectAll("and on", 3, sealed.ExecutionPayload.BlockHash, h.Begin())
	for name, items := range readers {
		require.Empty(t, items, "%s was told more", name)
	}
}
