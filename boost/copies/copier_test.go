// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package copies

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

func TestMain(m *testing.M) { eltest.Main(m) }

// rig is a copier to a fake builder.
type rig struct {
	builder *eltest.Layer
	set     *metrics.Set
	copier  *Copier
	out     atomic.Bool // the builder takes no part
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{builder: eltest.NewLayer(), set: metrics.NewSet()}
	r.copier = New(Config{Builder: r.builder, AsksBuilder: func() bool { return !r.out.Load() }, Metrics: r.set, Log: log.Root()})
	r.copier.Start(t.Context())
	t.Cleanup(r.copier.Stop)
	return r
}

// has waits until the builder has so many calls of a method, and returns them.
func (r *rig) has(t *testing.T, count int, method string) []jsonrpc.Request {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.builder.Asked(method)) == count }, eltest.Patience, time.Millisecond)
	return r.builder.Asked(method)
}

// What concerns the builder reaches it as it is, whatever it says to that; nothing else does.
func TestCopy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.builder.On("", eltest.ErrInjected)
	r.copier.Copy(eltest.Request("eth_call", "0x01"))
	r.copier.Copy(eltest.Request(SyncMethod, "0x01"))
	r.out.Store(true)
	r.copier.Copy(eltest.Request("miner_setExtra", "0x02"))
	r.out.Store(false)
	r.copier.Copy(eltest.Request("miner_setExtra", "0x03"))
	got := r.has(t, 1, "")
	require.JSONEq(t, string(eltest.Encode("miner_setExtra", "0x03")), string(got[0].Raw))
	require.Zero(t, r.set.GetOrCreateCounter("rollup_boost_copied_calls_dropped_total").Get())
}

// The transaction of a call that waits for a block comes by itself, or with the answer, and once.
func TestMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.builder.On(plainMethod, "0x01")
	calls := []jsonrpc.Request{*eltest.Request("eth_call"), *eltest.Request(SyncMethod, "0x01"), *eltest.Request(SyncMethod)}
	require.True(t, WaitsForBlock(calls))
	require.False(t, WaitsForBlock(calls[:1]))
	answered := r.copier.Meanwhile(calls)
	r.has(t, 1, plainMethod)
	answered()
	r.copier.Meanwhile(calls)() // answered at once
	for _, call := range r.has(t, 2, "") {
		require.Equal(t, plainMethod, call.Method)
		require.JSONEq(t, `["0x01"]`, string(call.Params))
	}
	r.copier.Meanwhile(calls[:1])()
	r.out.Store(true)
	r.copier.Meanwhile(calls)()
	r.out.Store(false)
	r.copier.Copy(eltest.Request(plainMethod, "0x02"))
	require.JSONEq(t, `["0x02"]`, string(r.has(t, 3, "")[2].Params))
}

// What waits for a builder that takes nothing is bounded in bytes, too, and holds on to no larger body.
func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.builder.Hang("eth_sendRawTransaction")
	body, err := json.Marshal([]any{
		map[string]any{"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": []any{"0x" + strings.Repeat("00", 1<<20)}},
		map[string]any{"jsonrpc": "2.0", "id": 2, "method": "eth_chainId", "params": []any{strings.Repeat("x", 1<<20)}},
	})
	require.NoError(t, err)
	reqs, _, err := jsonrpc.ParseBody(body)
	require.NoError(t, err)
	const count = 4 * copyBytes >> 21
	for range count {
		r.copier.Copy(&reqs[0])
	}
	require.LessOrEqual(t, len(r.copier.queue)*2<<20, copyBytes+2<<20)
	require.GreaterOrEqual(t, int(r.set.GetOrCreateCounter("rollup_boost_copied_calls_dropped_total").Get()), count/2)
	for _, call := range r.builder.Asked("") {
		require.LessOrEqual(t, cap(call.Raw), len(reqs[0].Raw)+len(reqs[0].Raw)/4)
	}
}

// Without a builder there is nothing to do.
func TestNoBuilder(t *testing.T) {
	t.Parallel()
	c := New(Config{AsksBuilder: func() bool { return false }, Metrics: metrics.NewSet(), Log: log.Root()})
	c.Start(t.Context())
	c.Copy(eltest.Request(plainMethod, "0x01"))
	c.Stop()
	require.Empty(t, c.queue)
}
