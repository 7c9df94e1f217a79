// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package chain

import (
	"context"
	"errors"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Handler answers the calls. Its methods are safe for concurrent use. It has no goroutines: those of its calls belong
// to the queues.
type Handler struct {
	cfg      Config
	withheld *metrics.Counter // builds that the builder was not asked for, because it is not well
}

// New returns a handler of the calls.
func New(cfg Config) *Handler {
	return &Handler{
		cfg:      cfg,
		withheld: cfg.Metrics.GetOrCreateCounter(`rollup_boost_builder_fallbacks_total{reason="unhealthy"}`),
	}
}

// tellBuilder passes a call on in the background, once the builder's queue is woken.
func (h *Handler) tellBuilder(kind backend.Kind, req jsonrpc.Request) {
	h.cfg.Builder.Enqueue(backend.Job{Kind: kind, Req: &req, Done: func(resp *jsonrpc.Response, err error) {
		h.observe(health.Builder, resp, err)
	}})
}

// observe tells the observer how a call ended.
func (h *Handler) observe(which health.Which, resp *jsonrpc.Response, err error) {
	if err == nil && resp.Error != nil {
		err = resp.Error
	}
	switch {
	case errors.Is(err, backend.ErrSuperseded), errors.Is(err, backend.ErrStopped), errors.Is(err, context.Canceled):
		return // this says nothing of the backend
	case errors.Is(err, engineapi.ErrNoPayloadID):
		err = nil // it did answer
	}
	h.cfg.Observer.ObserveCall(which, err)
}
