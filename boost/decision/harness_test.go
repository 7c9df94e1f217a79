// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

func TestMain(m *testing.M) { eltest.Main(m) }

// rig is a maker of decisions between two fake execution layers, with rounds that the test begins.
type rig struct {
	t       testing.TB
	l2      *eltest.Layer
	builder *eltest.Layer
	rounds  *eltest.Rounds
	watch   *eltest.Observer
	mode    atomic.Uint32
	set     *metrics.Set
	order   *local.Queue
	maker   *Maker
}

// newRig has a local execution layer that builds a block of the deposit, and a builder that builds one of three
// flashblocks without roots.
func newRig(t testing.TB, edit func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, l2: eltest.NewL2(), builder: eltest.NewBuilder(), watch: eltest.NewObserver(), set: metrics.NewSet()}
	r.setMode(params.ModeEnabled)
	r.rounds = eltest.NewRounds(r.set, func() bool { return r.modeNow() == params.ModeEnabled })
	queue := backend.NewQueue(backend.QueueConfig{Name: "l2", Caller: r.l2, Coalesce: backend.CoalesceIdentical})
	require.NoError(t, queue.Start(context.WithoutCancel(t.Context())))
	r.order = local.NewQueue(queue, r.rounds.Head)
	cfg := Config{
		L2: r.l2, Builder: r.builder, Rebuilds: r.order, Rounds: r.rounds.Store, Mode: r.modeNow, Observer: r.watch,
		RescueAfter: eltest.Patience, Metrics: r.set, Log: log.Root(),
		Now: func() time.Time { return time.Unix(eltest.BlockTime, 0) },
	}
	if edit != nil {
		edit(&cfg)
	}
	r.maker = New(cfg)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), eltest.Patience)
		defer cancel()
		require.NoError(t, queue.Stop(ctx))
		r.maker.Stop()
	})
	return r
}

func (r *rig) modeNow() params.ExecutionMode { return params.ExecutionMode(r.mode.Load()) }

func (r *rig) setMode(mode params.ExecutionMode) { r.mode.Store(uint32(mode)) }

// begin is a round in which both sides build.
func (r *rig) begin() *round.Round {
	r.t.Helper()
	return r.beginAs(eltest.LocalID, eltest.BuilderID, nil)
}

// beginAs is begin with other payload ids. edit may change the attributes.
func (r *rig) beginAs(own, builder engine.PayloadID, edit func(map[string]any)) *round.Round {
	r.t.Helper()
	begun := r.beginLocal(own, edit)
	begun.BindBuilder(builder)
	return begun
}

// beginLocal is a round that the builder has not answered yet.
func (r *rig) beginLocal(own engine.PayloadID, edit func(map[string]any)) *round.Round {
	r.t.Helper()
	update := eltest.Request("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, edit)...)
	r.submit(backend.KindBuild, update)
	req, err := round.ParseRequest(update.Method, eltest.Args(update))
	require.NoError(r.t, err)
	begun := r.rounds.Begin(req)
	begun.BindLocal(own)
	return begun
}

// moveHead is a forkchoice update without a build.
func (r *rig) moveHead(state map[string]any) {
	r.t.Helper()
	r.submit(backend.KindForkchoice, eltest.Request("engine_forkchoiceUpdatedV3", state, nil))
}

func (r *rig) submit(kind backend.Kind, update *jsonrpc.Request) {
	r.t.Helper()
	o := local.Wait(r.t.Context(), r.order.Submit(kind, update, eltest.Args(update)))
	require.NoError(r.t, o.Err)
}

func (r *rig) deliver(list []*flashblocks.Flashblock) {
	r.t.Helper()
	r.rounds.Deliver(r.t, list)
}

// ask asks for a block.
func (r *rig) ask(id engine.PayloadID) *jsonrpc.Response {
	resp, err := jsonrpc.ParseResponse(r.maker.GetPayload(r.t.Context(), eltest.Request("engine_getPayloadV4", id), 4))
	require.NoError(r.t, err)
	return resp
}

// payload asks for the block and returns the result.
func (r *rig) payload() json.RawMessage {
	resp := r.ask(eltest.LocalID)
	require.Nil(r.t, resp.Error)
	return resp.Result
}

// counter is the value of a counter.
func (r *rig) counter(name string) int { return int(r.set.GetOrCreateCounter(name).Get()) }

// eventually waits for something that must happen.
func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	require.Eventually(r.t, condition, eltest.Patience, time.Millisecond, what)
}
