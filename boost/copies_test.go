// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/copies"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// plainMethod is how the builder hears of a transaction.
const plainMethod = "eth_sendRawTransaction"

// Transactions and limits reach both; whatever else only the local node.
func TestCopies(t *testing.T) {
	t.Parallel()
	for method, copied := range map[string]bool{
		"eth_sendRawTransaction": true, "eth_sendRawTransactionConditional": true, "miner_setExtra": true, "miner_setGasPrice": true,
		"miner_setGasLimit": true, "miner_setMaxDASize": true, "eth_chainId": false, "miner_start": false,
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.l2.On(method, true)
			r.builder.On(method, &jsonrpc.Error{Code: -1, Message: "nobody hears this"})
			resp := r.call(method, "0x1", "0x2")
			require.JSONEq(t, "true", string(resp.Result))
			require.Len(t, r.l2.Asked(method), 1)
			if !copied {
				require.Empty(t, r.builder.Asked(method))
				return
			}
			r.eventually("the builder has it", func() bool { return len(r.builder.Asked(method)) == 1 })
			require.Equal(t, string(r.l2.Asked(method)[0].Params), string(r.builder.Asked(method)[0].Params))
		})
	}
}

// A call that waits until its transaction is in a block cannot be answered before the builder has the transaction.
func TestSyncTransactionReachesTheBuilderMeanwhile(t *testing.T) {
	t.Parallel()
	const call = `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransactionSync","params":["0x0203",5000]}`
	for name, body := range map[string]string{
		"alone":                      call,
		"in a batch":                 `[{"jsonrpc":"2.0","id":2,"method":"eth_chainId"},` + call + `]`,
		"in a batch of engine calls": `[{"jsonrpc":"2.0","id":2,"method":"engine_newPayloadV4","params":[{}]},` + call + `]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.l2.On("eth_chainId", "0x385")
			copied := make(chan struct{})
			tell := sync.OnceFunc(func() { close(copied) })
			r.l2.On(copies.SyncMethod, eltest.Handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
				select {
				case <-copied:
					return "the receipt", nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}))
			r.builder.On(plainMethod, eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) {
				tell()
				return "0x01", nil
			}))
			status, answer := r.post([]byte(body))
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, string(answer), "the receipt")
			got := r.builder.Asked(plainMethod)
			require.Len(t, got, 1)
			require.Equal(t, plainMethod, got[0].Method)
			require.JSONEq(t, `["0x0203"]`, string(got[0].Params))
			require.Equal(t, []string{copies.SyncMethod}, r.l2.Limits(), "it has its own time limit")
		})
	}
}

// One that is answered before its head start is over is copied all the same, once; one without a transaction, or in
// mode disabled, is not.
func TestSyncTransactionIsCopiedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.l2.On(copies.SyncMethod, "the receipt")
	r.builder.On(plainMethod, "0x01")
	for _, args := range [][]any{nil, {"0x02", 1}} {
		require.JSONEq(t, `"the receipt"`, string(r.call(copies.SyncMethod, args...).Result))
	}
	r.eventually("the builder has it", func() bool { return len(r.builder.Asked(plainMethod)) == 1 })
	r.modes.SetMode(params.ModeDisabled)
	require.Nil(t, r.call(copies.SyncMethod, "0x03").Error)
	r.modes.SetMode(params.ModeEnabled)
	r.l2.On(plainMethod, "0x01")
	require.Nil(t, r.call(plainMethod, "0x04").Error)
	r.eventually("the builder has the last one", func() bool { return len(r.builder.Asked(plainMethod)) >= 2 })
	got := r.builder.Asked(plainMethod)
	require.Len(t, got, 2)
	require.JSONEq(t, `["0x04"]`, string(got[1].Params))
	require.Zero(t, r.counter("rollup_boost_copied_calls_dropped_total"))
}
