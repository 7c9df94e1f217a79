// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package chain

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
)

// ArrivingPayload is NewPayload for a block that is passed on to the local execution layer while it still comes from
// op-node. The builder gets it once it is whole. The error is that it never was.
func (h *Handler) ArrivingPayload(ctx context.Context, req *jsonrpc.Request) ([]byte, error) {
	defer req.Body.Release()
	// net/http takes a deadline that has passed for a caller that has left. One that really has costs what it takes the
	// local execution layer to answer.
	ctx = context.WithoutCancel(ctx)
	start := h.cfg.Now()
	outcomes := h.cfg.Local.Submit(backend.KindNewPayload, req, nil)
	o, answered := firstOfPassed(ctx, req.Body, outcomes)
	if err := req.Body.All(); err != nil {
		return nil, err // the local execution layer finds that out, too
	}
	if h.cfg.AsksBuilder() {
		h.tellBuilder(backend.KindNewPayload, *req)
		if !answered {
			h.Wake()
		}
	}
	if !answered {
		o = local.Wait(ctx, outcomes)
	}
	if errors.Is(o.Err, backend.ErrIncomplete) { // it came too slowly for that
		o = local.Wait(ctx, h.cfg.Local.Submit(backend.KindNewPayload, req, nil))
	}
	h.observe(health.L2, o.Resp, o.Err)
	engineapi.NewPayloadSpan(req.Method).Observe(h.cfg.Metrics, start, h.cfg.Now(), o.Resp, o.Err)
	return engineapi.Answer(req, o.Resp, o.Err), nil
}

// firstOfPassed is first for a body that is passed on: the builder does not have to be told before it has come.
func firstOfPassed(ctx context.Context, body *jsonrpc.Arriving, outcomes <-chan local.Outcome) (o local.Outcome, answered bool) {
	late := time.NewTimer(body.Passing()) // the local queue may be held up
	defer late.Stop()
	select {
	case o = <-outcomes:
		return o, true
	case <-body.Came():
		return first(ctx, outcomes)
	case <-late.C:
	}
	return local.Outcome{}, false
}
