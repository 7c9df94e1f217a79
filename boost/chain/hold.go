// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package chain

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
)

const (
	// headStart is for how long the builder is not told of a call while the local execution layer may answer it:
	// on a small machine, writing a block to the builder would hold up writing it to the other. With it op-node's calls
	// wait 0.8 to 1.4 times as long as behind httputil.ReverseProxy, without it 1.5 to 2.7 times (p50, BenchmarkAdded with
	// a builder).
	headStart = time.Millisecond

	// afterAnswer is how long after op-node's answer the builder is told of the call. On a small machine, op-node
	// itself needs the cores to take the answer.
	afterAnswer = 200 * time.Microsecond
)

// await waits for the local execution layer's answer. tell, if not nil, puts the call into the builder's queue. It
// is called once before await returns, so that the calls of one who waits for each answer are told in his order.
func (h *Handler) await(ctx context.Context, outcomes <-chan local.Outcome, tell func()) (*jsonrpc.Response, error) {
	var (
		o        local.Outcome
		answered bool
	)
	if tell != nil {
		o, answered = first(ctx, outcomes)
		tell()
		if !answered {
			h.Wake()
		}
	}
	if !answered {
		o = local.Wait(ctx, outcomes)
	}
	h.observe(health.L2, o.Resp, o.Err)
	return o.Resp, o.Err
}

// first waits for an answer as long as the builder does not have to be told. What is answered until then waits in
// the builder's queue until op-node has its answer: see Answered.
func first(ctx context.Context, outcomes <-chan local.Outcome) (o local.Outcome, answered bool) {
	timer := time.NewTimer(headStart)
	defer timer.Stop()
	select {
	case o = <-outcomes:
		return o, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return local.Outcome{}, false
}

// Answered says that the answer to a call has been sent: the builder may soon be told of it.
func (h *Handler) Answered() {
	if h.cfg.Builder != nil {
		time.AfterFunc(afterAnswer, h.cfg.Builder.Wake) // after its queue has stopped, that does nothing
	}
}

// Wake has the builder told of what waits for it now.
func (h *Handler) Wake() {
	if h.cfg.Builder != nil {
		h.cfg.Builder.Wake()
	}
}
