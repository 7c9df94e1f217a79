// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package chain

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// F12: the builder hears of a block before it is asked to build on it.
func TestBuilderHearsInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	release := make(chan struct{})
	r.builder.On(engineapi.NewPayload, eltest.Handler(func(ctx context.Context, _ *jsonrpc.Request) (any, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return eltest.PayloadStatus(engine.VALID), nil
	}))
	r.call("engine_newPayloadV4", map[string]any{}, []any{}, eltest.Beacon, []any{})
	r.call("engine_forkchoiceUpdatedV3", eltest.Attributes(eltest.Parent, nil)...)
	require.Empty(t, r.builder.Asked(engineapi.ForkchoiceUpdated))
	close(release)
	r.eventually("the build follows", func() bool { return len(r.builder.Asked(engineapi.ForkchoiceUpdated)) == 1 })
}

// enqueued is a builder's queue that notes what it is given and when it is woken.
type enqueued struct {
	mu    sync.Mutex
	noted []string
}

func (q *enqueued) Enqueue(job backend.Job) { q.note(job.Req.Method) }

func (q *enqueued) Wake() { q.note("wake") }

func (q *enqueued) note(what string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.noted = append(q.noted, what)
}

func (q *enqueued) got() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.noted)
}

// The builder hears of a call when op-node has its answer, or when the local node takes long.
func TestBuilderIsToldAfterTheAnswer(t *testing.T) {
	t.Parallel()
	queue := new(enqueued)
	r := newRig(t, func(c *Config) { c.Builder = queue })
	gate := make(chan struct{})
	r.l2.On("engine_newPayloadV2", eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) {
		<-gate
		return eltest.PayloadStatus(engine.VALID), nil
	}))
	answered := make(chan []byte, 1)
	go func() { answered <- r.handler.NewPayload(t.Context(), eltest.Request("engine_newPayloadV2")) }()
	r.eventually("it is told before the answer", func() bool { return slices.Equal(queue.got(), []string{"engine_newPayloadV2", "wake"}) })
	require.Empty(t, answered)
	close(gate)
	require.Contains(t, string(<-answered), engine.VALID)
	r.handler.Answered()
	r.eventually("and looked after again", func() bool { return len(queue.got()) == 3 })
}

// A caller who leaves takes nothing back.
func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	queue := new(enqueued)
	r := newRig(t, func(c *Config) { c.Builder = queue })
	gate := make(chan struct{})
	r.l2.On(engineapi.NewPayload, eltest.Handler(func(context.Context, *jsonrpc.Request) (any, error) {
		<-gate
		return eltest.PayloadStatus(engine.VALID), nil
	}))
	left, leave := context.WithCancel(t.Context())
	leave()
	require.Contains(t, string(r.handler.NewPayload(left, eltest.Request("engine_newPayloadV4"))), "canceled")
	require.Equal(t, []string{"engine_newPayloadV4", "wake"}, queue.got())
	require.Empty(t, r.watch.Failures(), "that says nothing of the local node")
	close(gate)
}
