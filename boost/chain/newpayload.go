// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package chain

import (
	"context"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// NewPayload gives the local execution layer's answer as it is.
func (h *Handler) NewPayload(ctx context.Context, req *jsonrpc.Request) []byte {
	start := h.cfg.Now()
	answer := h.cfg.Local.Submit(backend.KindNewPayload, req, nil)
	var tell func()
	if h.cfg.AsksBuilder() {
		tell = func() { h.tellBuilder(backend.KindNewPayload, *req) }
	}
	resp, err := h.await(ctx, answer, tell)
	engineapi.NewPayloadSpan(req.Method).Observe(h.cfg.Metrics, start, h.cfg.Now(), resp, err)
	return engineapi.Answer(req, resp, err)
}
