// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every readable method answers through flashblocks_read what it answers by itself, with the position.
func TestReadCarriesPosition(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	h.begin()
	h.flashblock(h.poke(), h.poke())
	s := h.processor.Snapshot()
	for _, q := range append(stateQuestions(), blockQuestions()...) {
		if _, ok := readable[q.method]; !ok {
			continue
		}
		var got ReadResult
		h.ask(&got, "flashblocks_read", object{"method": q.method, "params": q.about("pending")})
		require.EqualValues(t, 1, got.Position.BlockNumber, q.name)
		require.EqualValues(t, s.Index, got.Position.Index, q.name)
		require.Equal(t, s.PayloadID, got.Position.ID, q.name)
		require.JSONEq(t, h.follower.call(q.method, q.about("pending")...).Result, string(got.Result), q.name)
	}

	// Errors come through with code and data.
	failing := object{"to": sender, "from": probeAddr, "value": "0xffffffffffffffffffffff"}
	require.Equal(t, h.follower.call("eth_estimateGas", failing, "pending"),
		h.follower.call("flashblocks_read", object{"method": "eth_estimateGas", "params": []any{failing, "pending"}}))
	refused := h.follower.call("flashblocks_read", object{"method": "eth_sendRawTransaction", "params": []any{"0x"}})
	require.Equal(t, codeInvalidParams, refused.Code)
	require.Contains(t, refused.Error, `"eth_sendRawTransaction"`)
	require.Equal(t, codeInvalidParams, h.follower.call("flashblocks_read", object{"method": "eth_getBalance"}).Code)
}

// A read waits for the position that it must not be behind.
func TestReadAtLeast(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	h.begin()
	request := object{"method": "eth_getBlockTransactionCountByNumber", "params": []any{"pending"}}
	late := h.follower.call("flashblocks_read", request.with(object{"minimum": object{"blockNumber": "0x1", "index": "0x1"}, "timeout": 1}))
	require.Equal(t, codeTimeout, late.Code)
	require.Contains(t, late.Data, `"index":"0x0"`)

	done := make(chan answer, 1)
	go func() {
		done <- h.follower.call("flashblocks_read", request.with(object{"minimum": object{"blockNumber": "0x1", "index": "0x1"}}))
	}()
	h.flashblock(h.poke())
	a := <-done
	require.Empty(t, a.Error)
	var got ReadResult
	require.NoError(t, json.Unmarshal([]byte(a.Result), &got))
	require.GreaterOrEqual(t, uint64(got.Position.Index), uint64(1))

	h.settle(h.seal())
	h.ask(&got, "flashblocks_read", request.with(object{"minimum": object{"blockNumber": "0x1", "index": "0xff"}}))
	require.Nil(t, got.Position, "canonical: pending is latest, which is not behind")
	require.JSONEq(t, `"0x2"`, string(got.Result))
}
