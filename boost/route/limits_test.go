// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package route

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/copies"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// However many bodies hang, engine calls get through; more than may wait are refused.
func TestSlots(t *testing.T) {
	t.Parallel()
	const slots = 2
	r := newRig(t, slots)
	gate := make(chan struct{})
	r.l2.On("eth_call", eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) {
		<-gate
		return "0x", nil
	}))
	const most = slots * (1 + waitingPerSlot)
	var (
		wg    sync.WaitGroup
		count atomic.Int64
	)
	for range most {
		wg.Go(func() {
			if answer, err := r.forward(eltest.Encode("eth_call")); err == nil && strings.Contains(string(answer), `"result":"0x"`) {
				count.Add(1)
			}
		})
	}
	r.eventually("all wait", func() bool { return r.router.waiting.Load() == most })
	r.eventually("the slots are taken", func() bool { return len(r.l2.Asked("eth_call")) == slots })

	for method, want := range map[string]string{
		"engine_forkchoiceUpdatedV3": "forkchoice", "engine_getPayloadV4": "getPayload 4", "engine_newPayloadV4": "newPayload",
	} {
		require.Contains(t, string(r.call(method)), want)
	}
	_, err := r.forward(eltest.Encode("eth_call"))
	require.ErrorIs(t, err, errBusy)
	require.Equal(t, codeBusy, errBusy.Code)

	close(gate)
	wg.Wait()
	require.EqualValues(t, most, count.Load())
	require.Len(t, r.l2.Asked("eth_call"), most)
	r.eventually("all have left", func() bool { return r.router.waiting.Load() == 0 })
}

// A body counts until its answer is taken, and one whose caller has left gives its place up.
func TestSlotIsKeptUntilTheAnswerIsTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.l2.On("", "fine")
	raw := eltest.Encode("eth_call")
	calls, _, err := jsonrpc.ParseBody(raw)
	require.NoError(t, err)
	err = r.router.Forward(t.Context(), &Body{Raw: raw, Calls: calls}, func(*backend.Reply) {
		left, leave := context.WithCancel(t.Context())
		leave()
		require.EqualValues(t, 1, r.router.waiting.Load())
		require.ErrorIs(t, r.router.Forward(left, &Body{Raw: raw, Calls: calls}, nil), context.Canceled)
	})
	require.NoError(t, err)
	require.Zero(t, r.router.waiting.Load())
}

// Those who wait for their transactions leave room for the others.
func TestSyncTransactionsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	release := make(chan struct{})
	r.l2.On(copies.SyncMethod, eltest.Handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
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
		wg.Go(func() { _, _ = r.forward(eltest.Encode(copies.SyncMethod, "0x02")) })
	}
	r.eventually("all of them wait", func() bool { return len(r.l2.Asked(copies.SyncMethod)) == maxSyncing })
	_, err := r.forward(eltest.Encode(copies.SyncMethod, "0x02"))
	require.ErrorIs(t, err, errBusy)
	require.Contains(t, string(r.call(copies.SyncMethod, "0x02")), "too many requests", "one of a batch")
	require.Contains(t, string(r.call("engine_newPayloadV4", map[string]any{})), "newPayload", "and another one of it")
	r.l2.On("eth_chainId", "0x385")
	require.Contains(t, string(r.call("eth_chainId")), "0x385")
}
