// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// notices reads n messages of a v0 stream in short form.
func notices(t testing.TB, ws *websocket.Conn, n int) (out []string) {
	t.Helper()
	for range n {
		require.NoError(t, ws.SetReadDeadline(time.Now().Add(patience)))
		kind, frame, err := ws.ReadMessage()
		require.NoError(t, err, "after %v", out)
		require.Equal(t, websocket.TextMessage, kind)
		require.True(t, json.Valid(frame))
		p, err := parseNotice(frame)
		require.NoError(t, err)
		word := fmt.Sprintf("%d/%d", p.BlockNumber, p.Index)
		if kind := noticeKind(frame); kind != "" {
			word += " " + kind
		} else {
			require.Equal(t, teststream.Hash(uint64(p.BlockNumber)-1), p.ParentHash)
		}
		out = append(out, word)
	}
	return out
}

// noticeKind names what a message of a v0 stream is, "" for a flashblock.
func noticeKind(text []byte) string {
	switch p, err := parseNotice(text); {
	case err != nil:
		return "unreadable"
	case p.Sealed:
		return "sealed"
	case p.Reorg:
		return "reorg"
	case p.Disconnected:
		return "disconnected"
	}
	return ""
}

// TestNoticesOnV0: sealed from upstream, reorg from the v1 stream itself, and the lost upstream, each
// once and in its place, and resumable.
func TestNoticesOnV0(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	h := newHarness(t, Config{}, up.URL("/"))
	h.connected(1)
	h.eventually("notices are followed", func() bool {
		return h.figure(`flashblocks_subscriber_connected{upstream="`+up.Addr+`/v0"}`) == 1
	})
	ws, v1 := h.dial("/v0"), h.dial("/ws")
	h.clients(2)

	up.PublishBlock(10, 0, 1)
	require.Equal(t, []string{"10/0", "10/1"}, notices(t, ws, 2))
	publishSealed(up, 10, 1)
	require.Equal(t, []string{"10/1 sealed"}, notices(t, ws, 1))
	up.PublishBlock(11, 0, 2)
	other := teststream.Flashblock(11, 0)
	other.PayloadID[7]++ // another attempt at the same block
	other.PayloadID[0] = 4
	up.Publish(other)
	require.Equal(t, []string{"11/0", "11/1", "11/2", "11/2 reorg", "11/0"}, notices(t, ws, 5))
	require.NoError(t, up.Stop())
	require.Equal(t, []string{"11/0 disconnected"}, notices(t, ws, 1))

	late := h.dial("/v0?block_number=10&flashblock_index=0")
	require.Equal(t, []string{"10/1", "10/1 sealed", "11/0", "11/1", "11/2", "11/2 reorg", "11/0", "11/0 disconnected"}, notices(t, late, 8))
	only := h.dial("/v0?notices=only&block_number=10&flashblock_index=0")
	require.Equal(t, []string{"10/1 sealed", "11/2 reorg", "11/0 disconnected"}, notices(t, only, 3))

	teststream.Expect(t, v1, 10, 0, 1) // the v1 stream has none of it
	teststream.Expect(t, v1, 11, 0, 2)
	teststream.Expect(t, v1, 11, 0, 0)
}

// TestLossOfTheOriginTravels: the last tier tells its clients when the first one has lost the builder,
// although its own connection stands.
func TestLossOfTheOriginTravels(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	first := newHarness(t, Config{}, up.URL("/"))
	second := newHarness(t, Config{}, first.url("/ws"))
	second.connected(1)
	first.clients(2)
	ws := second.dial("/v0")
	second.clients(1)
	up.PublishBlock(3, 0, 0)
	require.Equal(t, []string{"3/0"}, notices(t, ws, 1))
	require.NoError(t, up.Stop())
	require.Equal(t, []string{"3/0 disconnected"}, notices(t, ws, 1))
	up.Start()
	up.PublishBlock(3, 0, 1) // what a restarted builder's stream has in its ring
	require.Equal(t, []string{"3/1"}, notices(t, ws, 1))
	require.NoError(t, up.Stop())
	require.Equal(t, []string{"3/1 disconnected"}, notices(t, ws, 1))
}

// TestSealedWaitsForItsFlashblock: the notice comes on a connection of its own and may be first.
func TestSealedWaitsForItsFlashblock(t *testing.T) {
	t.Parallel()
	r, out := newTestRelay(t, 1)
	r.deliver(0, delivery(teststream.Flashblock(5, 0)))
	sealed := flashblocks.NewSealedNotification(teststream.Base(5), 1, common.Hash{1}, 1).AppendJSON(nil)
	r.noticed(0, sealed)
	r.noticed(0, sealed)
	require.Equal(t, []string{"5/0"}, out.list())
	r.deliver(0, delivery(teststream.Flashblock(5, 1)))
	r.noticed(0, sealed)
	r.deliver(0, delivery(teststream.Flashblock(6, 0)))
	require.Equal(t, []string{"5/0", "5/1", "5/1 sealed", "6/0"}, out.list())
}

func TestNoticesURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ws://h:1":             "ws://h:1/v0?notices=only",
		"ws://h:1/":            "ws://h:1/v0?notices=only",
		"ws://h/ws":            "ws://h/v0?notices=only",
		"wss://h/ws/k3y":       "wss://h/v0/k3y?notices=only",
		"wss://h/ws/a%2Fb?x=1": "wss://h/v0/a%2Fb?notices=only&x=1",
		"wss://h/ws/k/filter":  "",
		"wss://h/flashblocks":  "",
		"wss://h/ws/":          "",
		"wss://h/ws/%zz":       "",
	} {
		got, ok := noticesURL(in)
		require.Equal(t, want, got, in)
		require.Equal(t, want != "", ok, in)
	}
}

// TestAnUpstreamThatServesV1EverywhereIsLeftAlone: rollup-boost answers every path with v1; nothing of
// that may reach the v0 clients, and the connection is given up.
func TestAnUpstreamThatServesV1EverywhereIsLeftAlone(t *testing.T) {
	t.Parallel()
	_, _, err := decodeNotice(teststream.Flashblock(1, 0).AppendJSON(nil), flashblocks.Limits{})
	require.ErrorIs(t, err, errNotNotice)
	require.ErrorIs(t, err, flashblocks.ErrMalformed)
	for _, text := range []string{"", "{}", "[]", `{"method":"eth_subscription","params":{}}`, `{"method":"flashblocks_v0","params":7}`} {
		_, _, err := decodeNotice([]byte(text), flashblocks.Limits{})
		require.Error(t, err, text)
	}
}
