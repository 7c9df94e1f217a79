// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package chain

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

func TestMain(m *testing.M) { eltest.Main(m) }

// payloads remembers which rounds it is to watch.
type payloads struct {
	mu      sync.Mutex
	watched []engine.PayloadID
	numbers map[common.Hash]uint64
}

func (p *payloads) Watch(_ *round.Round, id engine.PayloadID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched = append(p.watched, id)
}

func (p *payloads) Number(hash common.Hash) (uint64, bool) {
	number, ok := p.numbers[hash]
	return number, ok
}

// rig is a handler between two fake execution layers, with the queues before them.
type rig struct {
	t        testing.TB
	l2       *eltest.Layer
	builder  *eltest.Layer
	rounds   *eltest.Rounds
	watch    *eltest.Observer
	payloads *payloads
	out      atomic.Bool // the mode takes the builder out
	set      *metrics.Set
	handler  *Handler
}

func newRig(t testing.TB, edit func(*Config)) *rig {
	t.Helper()
	r := &rig{
		t: t, l2: eltest.NewL2(), builder: eltest.NewBuilder(), watch: eltest.NewObserver(), set: metrics.NewSet(),
		payloads: &payloads{numbers: make(map[common.Hash]uint64)},
	}
	in := func() bool { return !r.out.Load() }
	r.rounds = eltest.NewRounds(r.set, in)
	l2 := backend.NewQueue(backend.QueueConfig{Name: "l2", Caller: r.l2, Coalesce: backend.CoalesceIdentical})
	builder := backend.NewQueue(backend.QueueConfig{Name: "builder", Caller: r.builder, Coalesce: backend.CoalesceNewest})
	for _, queue := range []*backend.Queue{l2, builder} {
		require.NoError(t, queue.Start(context.WithoutCancel(t.Context())))
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), eltest.Patience)
			defer cancel()
			require.NoError(t, queue.Stop(ctx))
		})
	}
	cfg := Config{
		Local: local.NewQueue(l2, r.rounds.Head), Builder: builder, Rounds: r.rounds.Store, AsksBuilder: in, Publishing: in,
		Payloads: r.payloads, Observer: r.watch, Metrics: r.set, Log: log.Root(), Now: time.Now,
	}
	if edit != nil {
		edit(&cfg)
	}
	r.handler = New(cfg)
	return r
}

// call makes one call and, as the front does, tells that it is answered.
func (r *rig) call(method string, args ...any) *jsonrpc.Response {
	r.t.Helper()
	req := eltest.Request(method, args...)
	answer := r.handler.NewPayload
	if engineapi.ParseMethod(method).Kind == engineapi.KindForkchoiceUpdated {
		answer = r.handler.ForkchoiceUpdated
	}
	resp, err := jsonrpc.ParseResponse(answer(r.t.Context(), req))
	require.NoError(r.t, err)
	r.handler.Answered()
	return resp
}

// begin asks for a block and waits until both sides build.
func (r *rig) begin() *round.Round {
	r.t.Helper()
	require.Nil(r.t, r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...).Error)
	live := r.rounds.Lookup(eltest.LocalID)
	require.NotNil(r.t, live)
	id, err := live.Builder(r.t.Context())
	require.NoError(r.t, err)
	require.Equal(r.t, eltest.BuilderID, id)
	return live
}

func (r *rig) deliver(list []*flashblocks.Flashblock) {
	r.t.Helper()
	r.rounds.Deliver(r.t, list)
}

// eventually waits for something that must happen.
func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	require.Eventually(r.t, condition, eltest.Patience, time.Millisecond, what)
}
