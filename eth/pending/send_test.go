// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// send submits at the follower in the background; the answer comes when there is a receipt.
func (h *harness) send(tx *types.Transaction, timeout ...any) <-chan answer {
	h.t.Helper()
	raw, err := tx.MarshalBinary()
	require.NoError(h.t, err)
	out := make(chan answer, 1)
	go func() {
		out <- h.Follower.Call("eth_sendRawTransactionSync", append([]any{ethtest.HexBytes(raw)}, timeout...)...)
	}()
	require.Eventually(h.t, func() bool { return h.Follower.Eth.TxPool().Has(tx.Hash()) }, ethtest.Patience, time.Millisecond)
	return out
}

// The receipt comes with the flashblock, whatever form the timeout has, also for a transaction that
// reverts or is in a canonical block that no flashblock announced.
func TestSendSyncAnswersFromFlashblock(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	for _, timeout := range [][]any{{}, {nil}, {30_000}, {"0x7530"}, {uint64(math.MaxUint64)}} {
		tx := h.Poke()
		done := h.send(tx, timeout...)
		h.Flashblock(tx)
		a := <-done
		require.Empty(t, a.Error)
		require.Equal(t, h.Follower.Call("eth_getTransactionReceipt", tx.Hash()), a)
		require.Contains(t, a.Result, `"blockHash":"`+common.Hash{}.Hex()+`"`)
	}

	failing := h.Tx(ethtest.SenderKey, nil, []byte{0xfe})
	done := h.send(failing)
	h.Flashblock(failing)
	require.Contains(t, (<-done).Result, `"status":"0x0"`)

	h.Settle(h.Seal())
	canonical := h.Poke()
	done = h.send(canonical)
	h.Build(h.Sequencer.Eth.BlockChain().CurrentBlock(), 0)
	waiting := h.Submit(canonical)
	for h.Next().Diff.Transactions == nil {
		require.Len(t, waiting, 1)
	}
	env := h.Seal() // none of its flashblocks reached the follower
	h.Settle(env)
	require.Contains(t, (<-done).Result, env.ExecutionPayload.BlockHash.Hex())
}

// A timeout is error code 4 with the hash as data; what is not a timeout is refused; a transaction that
// is refused is answered at once.
func TestSendSyncErrors(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	tx := h.Poke()
	a := <-h.send(tx, 1)
	require.Equal(t, codeTimeout, a.Code)
	require.Equal(t, `"`+tx.Hash().Hex()+`"`, a.Data)
	a = <-h.send(h.Poke(), "0x1")
	require.Equal(t, codeTimeout, a.Code)

	raw, err := tx.MarshalBinary()
	require.NoError(t, err)
	for _, bad := range []any{-1, 1.5, "12", "0xzz", true, []int{1}, object{}} {
		require.Equal(t, codeInvalidParams, h.Follower.Call("eth_sendRawTransactionSync", ethtest.HexBytes(raw), bad).Code, "%v", bad)
	}
	require.Contains(t, h.Follower.Call("eth_sendRawTransactionSync", ethtest.HexBytes(raw)).Error, "already known")
	require.NotEmpty(t, h.Follower.Call("eth_sendRawTransactionSync", "0x00").Error)
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
	h := newHarness(t)
	nonce := func() string { return h.Follower.Call("eth_getTransactionCount", ethtest.Sender, "pending").Result }
	h.Begin()
	require.Equal(t, `"0x0"`, nonce())
	h.Flashblock(h.Poke())
	require.Equal(t, `"0x1"`, nonce())
	h.Flashblock(h.Poke())
	require.Equal(t, `"0x2"`, nonce())

	queued := []*types.Transaction{h.Poke(), h.Poke()}
	for _, err := range h.Follower.Eth.TxPool().Add(queued, true) {
		require.NoError(t, err)
	}
	require.EqualValues(t, 0, h.Follower.Eth.TxPool().PoolNonce(ethtest.Sender), "the follower's pool has a gap")
	require.Equal(t, `"0x4"`, nonce())

	var filled struct{ Tx struct{ Nonce string } }
	h.Ask(&filled, "eth_fillTransaction", object{"from": ethtest.Sender, "to": ethtest.Probe, "gas": "0x5208"})
	require.Equal(t, "0x4", filled.Tx.Nonce)
	require.Equal(t, `"0x0"`, h.Follower.Call("eth_getTransactionCount", ethtest.Sender, "latest").Result)
	require.Equal(t, `"0x0"`, h.Follower.Call("eth_getTransactionCount", ethtest.User, "pending").Result)
}

// A wallet that asks for its nonce right after it has sent is told the next one: the pool takes a
// transaction in before it makes it executable, and only then counts it itself.
func TestPendingNonceInARow(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.Flashblock(h.Poke())
	for want := uint64(1); want < 40; want++ {
		if want == 20 { // half of it on top of the canonical head
			h.Settle(h.Seal())
			require.Nil(t, h.Processor.Snapshot())
		}
		nonce, err := h.backend.GetPoolNonce(t.Context(), ethtest.Sender)
		require.NoError(t, err)
		require.Equal(t, want, nonce)
		require.NoError(t, h.Follower.Eth.TxPool().Add([]*types.Transaction{h.Poke()}, false)[0])
	}
}
