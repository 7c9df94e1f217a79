// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package route

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/internal/eltest"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

func TestMain(m *testing.M) { eltest.Main(m) }

// parts answers what the router hands to the other parts, and remembers it.
type parts struct {
	mu     sync.Mutex
	calls  []string
	copied []string
}

func (p *parts) answer(what string, req *jsonrpc.Request) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, what)
	return jsonrpc.AppendResult(nil, req.ID, json.RawMessage(`"`+what+`"`))
}

func (p *parts) ForkchoiceUpdated(_ context.Context, req *jsonrpc.Request) []byte {
	return p.answer("forkchoice", req)
}

func (p *parts) NewPayload(_ context.Context, req *jsonrpc.Request) []byte {
	return p.answer("newPayload", req)
}

func (p *parts) GetPayload(_ context.Context, req *jsonrpc.Request, version int) []byte {
	return p.answer(fmt.Sprint("getPayload ", version), req)
}

func (p *parts) Copy(req *jsonrpc.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.copied = append(p.copied, req.Method)
}

func (p *parts) Meanwhile(reqs []jsonrpc.Request) (answered func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.copied = append(p.copied, fmt.Sprint("meanwhile ", len(reqs)))
	return func() {}
}

// rig is a router before a fake execution layer and fake parts.
type rig struct {
	t      *testing.T
	l2     *eltest.Layer
	parts  *parts
	set    *metrics.Set
	router *Router
}

func newRig(t *testing.T, proxied int) *rig {
	t.Helper()
	r := &rig{t: t, l2: eltest.NewLayer(), parts: new(parts), set: metrics.NewSet()}
	r.router = New(Config{
		L2: r.l2, Chain: r.parts, Payloads: r.parts, Copies: r.parts, Proxied: proxied, Metrics: r.set, Log: log.Root(), Now: time.Now,
	})
	return r
}

// call routes one call.
func (r *rig) call(method string, args ...any) []byte {
	return r.router.Call(r.t.Context(), nil, eltest.Request(method, args...))
}

// forward passes a body on and returns the answer.
func (r *rig) forward(raw []byte) (answer []byte, err error) {
	calls, batch, err := jsonrpc.ParseBody(raw)
	require.NoError(r.t, err)
	err = r.router.Forward(r.t.Context(), &Body{Raw: raw, Calls: calls, Batch: batch}, func(reply *backend.Reply) { answer = reply.Body })
	return answer, err
}

// eventually waits for something that must happen.
func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	require.Eventually(r.t, condition, eltest.Patience, time.Millisecond, what)
}
