// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package route says what is done with each call: engine calls are answered by those who have a part in them, all
// others, engine methods of future forks included, are passed on to the local execution layer, so many at a time.
package route

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Backend passes calls on to the local execution layer.
type Backend interface {
	// Forward passes any body through, ForwardMethod one that is a call of the method.
	Forward(ctx context.Context, header http.Header, body []byte) (*backend.Reply, error)
	ForwardMethod(ctx context.Context, method string, header http.Header, body []byte) (*backend.Reply, error)
}

// Chain answers the calls that move the chain; *chain.Handler is one.
type Chain interface {
	ForkchoiceUpdated(ctx context.Context, req *jsonrpc.Request) []byte
	NewPayload(ctx context.Context, req *jsonrpc.Request) []byte
}

// Payloads answers engine_getPayload; *decision.Maker is one.
type Payloads interface {
	GetPayload(ctx context.Context, req *jsonrpc.Request, version int) []byte
}

// Copies gives the builder what concerns it of the calls that are passed on; *copies.Copier is one.
type Copies interface {
	Copy(req *jsonrpc.Request)
	Meanwhile(reqs []jsonrpc.Request) (answered func())
}

// Config configures a Router. Every field is required, unless it says otherwise.
type Config struct {
	L2       Backend
	Chain    Chain
	Payloads Payloads
	Copies   Copies

	Proxied int // Most bodies passed on at a time, default 256; engine calls do not count, nor wait for them

	Metrics *metrics.Set
	Log     log.Logger
	Now     func() time.Time
}

// defaultProxied bounds goroutines and bodies of callers that are not op-node. It is twice what op-batcher,
// op-proposer and a few tools ask for at once, many times over.
const defaultProxied = 256

// Router answers calls. Its methods are safe for concurrent use. It has no goroutines.
type Router struct {
	cfg     Config
	failed  *metrics.Counter // bodies that the local execution layer did not answer
	slots   chan struct{}    // taken by bodies that are passed on
	waiting atomic.Int64     // bodies that have a slot or wait for one
	syncing atomic.Int64     // bodies passed on that are answered when their transactions are in a block
}

// New returns a router.
func New(cfg Config) *Router {
	if cfg.Proxied <= 0 {
		cfg.Proxied = defaultProxied
	}
	return &Router{
		cfg:    cfg,
		failed: cfg.Metrics.GetOrCreateCounter("rollup_boost_forward_errors_total"),
		slots:  make(chan struct{}, cfg.Proxied),
	}
}

// PassesOn reports whether a call is passed on and nothing else.
func (*Router) PassesOn(req *jsonrpc.Request) bool {
	return req.Err == nil && engineapi.ParseMethod(req.Method).Kind == engineapi.KindOther
}

// Call answers one call. The answer to a notification is empty.
func (r *Router) Call(ctx context.Context, header http.Header, req *jsonrpc.Request) []byte {
	if req.Err != nil {
		return jsonrpc.AppendError(nil, req.ID, req.Err)
	}
	var (
		answer []byte
		method = engineapi.ParseMethod(req.Method)
	)
	switch method.Kind {
	case engineapi.KindForkchoiceUpdated:
		answer = r.cfg.Chain.ForkchoiceUpdated(ctx, req)
	case engineapi.KindNewPayload:
		answer = r.cfg.Chain.NewPayload(ctx, req)
	case engineapi.KindGetPayload:
		answer = r.cfg.Payloads.GetPayload(ctx, req, method.Version)
	default:
		answer = r.passOn(ctx, header, req)
	}
	if req.Notification() {
		return nil
	}
	return answer
}
