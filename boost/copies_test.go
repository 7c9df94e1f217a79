// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

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
			r.l2.on("eth_chainId", "0x385")
			copied := make(chan struct{})
			tell := sync.OnceFunc(func() { close(copied) })
			r.l2.on(syncMethod, handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
				select {
				case <-copied:
					return "the receipt", nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}))
			r.builder.on(plainMethod, handler(func(context.Context, *jsonrpc.Request) (any, error) {
				tell()
				return "0x01", nil
			}))
			status, answer := r.post([]byte(body))
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, string(answer), "the receipt")
			got := r.builder.asked(plainMethod)
			require.Len(t, got, 1)
			require.Equal(t, plainMethod, got[0].Method)
			require.JSONEq(t, `["0x0203"]`, string(got[0].Params))
			require.Equal(t, []string{syncMethod}, r.l2.limits, "it has its own time limit")
		})
	}
}

// One that is answered before its head start is over is copied all the same, once; one without a transaction, or in
// mode disabled, is not.
func TestSyncTransactionIsCopiedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.l2.on(syncMethod, "the receipt")
	r.builder.on(plainMethod, "0x01")
	for _, args := range [][]any{nil, {"0x02", 1}} {
		require.JSONEq(t, `"the receipt"`, string(r.call(syncMethod, args...).Result))
	}
	r.eventually("the builder has it", func() bool { return len(r.builder.asked(plainMethod)) == 1 })
	r.modes.SetMode(params.ModeDisabled)
	require.Nil(t, r.call(syncMethod, "0x03").Error)
	r.modes.SetMode(params.ModeEnabled)
	r.l2.on(plainMethod, "0x01")
	require.Nil(t, r.call(plainMethod, "0x04").Error)
	r.eventually("the builder has the last one", func() bool { return len(r.builder.asked(plainMethod)) >= 2 })
	got := r.builder.asked(plainMethod)
	require.Len(t, got, 2)
	require.JSONEq(t, `["0x04"]`, string(got[1].Params))
	require.Zero(t, r.counter("rollup_boost_copied_calls_dropped_total"))
}

// Those who wait for their transactions leave room for the others.
func TestSyncTransactionsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	release := make(chan struct{})
	r.l2.on(syncMethod, handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		select {
		case <-release:
			return "the receipt", nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(release)
	for range maxSyncing {
		wg.Go(func() { _, _ = r.send(context.WithoutCancel(t.Context()), encode(syncMethod, "0x02")) })
	}
	r.eventually("all of them wait", func() bool { return len(r.l2.asked(syncMethod)) == maxSyncing })
	resp := r.call(syncMethod, "0x02")
	require.NotNil(t, resp.Error)
	require.Equal(t, codeBusy, resp.Error.Code)
	_, answer := r.post([]byte(`[{"jsonrpc":"2.0","id":2,"method":"engine_newPayloadV4","params":[{}]},{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransactionSync","params":["0x02"]}]`))
	require.Contains(t, string(answer), "too many requests")
	require.Contains(t, string(answer), "VALID")
	r.l2.on("eth_chainId", "0x385")
	require.Nil(t, r.call("eth_chainId").Error)
}
