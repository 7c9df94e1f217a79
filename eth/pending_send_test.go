// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// send submits at the follower in the background; the answer comes when there is a receipt.
func (h *pendingHarness) send(tx *types.Transaction, timeout ...any) <-chan answer {
	h.t.Helper()
	raw, err := tx.MarshalBinary()
	require.NoError(h.t, err)
	out := make(chan answer, 1)
	go func() {
		out <- h.follower.call("eth_sendRawTransactionSync", append([]any{hexBytes(raw)}, timeout...)...)
	}()
	require.Eventually(h.t, func() bool { return h.follower.eth.TxPool().Has(tx.Hash()) }, patience, time.Millisecond)
	return out
}

// The receipt comes with the flashblock, whatever form the timeout has, also for a transaction that
// reverts or is in a canonical block that no flashblock announced.
func TestSendSyncAnswersFromFlashblock(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	h.begin()
	for _, timeout := range [][]any{{}, {nil}, {30_000}, {"0x7530"}, {uint64(math.MaxUint64)}} {
		tx := h.poke()
		done := h.send(tx, timeout...)
		h.flashblock(tx)
		a := <-done
		require.Empty(t, a.Error)
		require.Equal(t, h.follower.call("eth_getTransactionReceipt", tx.Hash()), a)
		require.Contains(t, a.Result, `"blockHash":"`+common.Hash{}.Hex()+`"`)
	}

	failing := h.tx(senderKey, nil, []byte{0xfe})
	done := h.send(failing)
	h.flashblock(failing)
	require.Contains(t, (<-done).Result, `"status":"0x0"`)

	h.settle(h.seal())
	canonical := h.poke()
	done = h.send(canonical)
	h.build(h.sequencer.eth.BlockChain().CurrentBlock(), 0)
	waiting := h.submit(canonical)
	for h.next().Diff.Transactions == nil {
		require.Len(t, waiting, 1)
	}
	env := h.seal() // none of its flashblocks reached the follower
	h.settle(env)
	require.Contains(t, (<-done).Result, env.ExecutionPayload.BlockHash.Hex())
}

// A timeout is error code 4 with the hash as data; what is not a timeout is refused; a transaction that
// is refused is answered at once.
func TestSendSyncErrors(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	h.begin()
	tx := h.poke()
	a := <-h.send(tx, 1)
	require.Equal(t, codeTimeout, a.Code)
	require.Equal(t, `"`+tx.Hash().Hex()+`"`, a.Data)
	a = <-h.send(h.poke(), "0x1")
	require.Equal(t, codeTimeout, a.Code)

	raw, err := tx.MarshalBinary()
	require.NoError(t, err)
	for _, bad := range []any{-1, 1.5, "12", "0xzz", true, []int{1}, object{}} {
		require.Equal(t, codeInvalidParams, h.follower.call("eth_sendRawTransactionSync", hexBytes(raw), bad).Code, "%v", bad)
	}
	require.Contains(t, h.follower.call("eth_sendRawTransactionSync", hexBytes(raw)).Error, "already known")
	require.NotEmpty(t, h.follower.call("eth_sendRawTransactionSync", "0x00").Error)
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		`0`: 20 * time.Second, `1`: time.Millisecond, `"0x10"`: 16 * time.Millisecond, `59999`: 59999 * time.Millisecond,
		`60000`: time.Minute, `60001`: time.Minute, `18446744073709551615`: time.Minute, `null`: 20 * time.Second,
	} {
		var m *milliseconds
		require.NoError(t, json.Unmarshal([]byte(in), &m), in)
		require.Equal(t, want, m.duration(20*time.Second, time.Minute), in)
	}
	require.Equal(t, time.Second, (*milliseconds)(nil).duration(time.Second, time.Minute))
}

// The nonce counts what is pending, what is in the pool, and what the pool holds back until the pending
// state closes the gap.
func TestPendingNonce(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	nonce := func() string { return h.follower.call("eth_getTransactionCount", sender, "pending").Result }
	h.begin()
	require.Equal(t, `"0x0"`, nonce())
	h.flashblock(h.poke())
	require.Equal(t, `"0x1"`, nonce())
	h.flashblock(h.poke())
	require.Equal(t, `"0x2"`, nonce())

	queued := []*types.Transaction{h.poke(), h.poke()}
	for _, err := range h.follower.eth.TxPool().Add(queued, true) {
		require.NoError(t, err)
	}
	require.EqualValues(t, 0, h.follower.eth.TxPool().PoolNonce(sender), "the follower's pool has a gap")
	require.Equal(t, `"0x4"`, nonce())

	var filled struct{ Tx struct{ Nonce string } }
	h.ask(&filled, "eth_fillTransaction", object{"from": sender, "to": probeAddr, "gas": "0x5208"})
	require.Equal(t, "0x4", filled.Tx.Nonce)
	require.Equal(t, `"0x0"`, h.follower.call("eth_getTransactionCount", sender, "latest").Result)
	require.Equal(t, `"0x0"`, h.follower.call("eth_getTransactionCount", userAddr, "pending").Result)
}

// A wallet that asks for its nonce right after it has sent is told the next one: the pool takes a
// transaction in before it makes it executable, and only then counts it itself.
func TestPendingNonceInARow(t *testing.T) {
	t.Parallel()
	h := newPendingHarness(t)
	h.begin()
	h.flashblock(h.poke())
	for want := uint64(1); want < 40; want++ {
		if want == 20 { // half of it on top of the canonical head
			h.settle(h.seal())
			require.Nil(t, h.processor.Snapshot())
		}
		nonce, err := h.backend.GetPoolNonce(t.Context(), sender)
		require.NoError(t, err)
		require.Equal(t, want, nonce)
		require.NoError(t, h.follower.eth.TxPool().Add([]*types.Transaction{h.poke()}, false)[0])
	}
}
