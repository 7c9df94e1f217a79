// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package route

import (
	"context"
	"net/http"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/copies"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Body is a whole body that is passed on: one call, or a batch of them.
type Body struct {
	Header http.Header
	Raw    []byte
	Calls  []jsonrpc.Request // in Raw
	Batch  bool
}

// Forward passes a whole body to the local execution layer, and then what concerns the builder to it as
// well. Not sooner: a builder that is its peer would tell it of a transaction before the sender does, who
// would then hear that it is known already. take gets the reply, and until it returns, the body counts as passed on. The
// error is for a body that got no reply.
func (r *Router) Forward(ctx context.Context, body *Body, take func(*backend.Reply)) error {
	start := r.cfg.Now()
	release, err := r.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	answered, err := r.meanwhile(body.Calls)
	if err != nil {
		return err
	}
	defer answered()
	var reply *backend.Reply
	switch {
	case !body.Batch:
		reply, err = r.cfg.L2.ForwardMethod(ctx, body.Calls[0].Method, body.Header, body.Raw)
	case copies.WaitsForBlock(body.Calls):
		reply, err = r.cfg.L2.ForwardMethod(ctx, copies.SyncMethod, body.Header, body.Raw) // with its time limit
	default:
		reply, err = r.cfg.L2.Forward(ctx, body.Header, body.Raw)
	}
	for i := range body.Calls {
		r.cfg.Copies.Copy(&body.Calls[i])
	}
	spanOf(body).Observe(r.cfg.Metrics, start, r.cfg.Now(), new(jsonrpc.Response), err)
	if err != nil {
		r.failed.Inc()
		r.cfg.Log.Debug("Local execution layer did not answer", "err", err)
		return err
	}
	take(reply)
	return nil
}

// spanOf is one of the two names that rollup-boost has for a body that is passed on.
func spanOf(body *Body) engineapi.Span {
	if len(body.Calls) == 1 && body.Calls[0].Method == "engine_exchangeCapabilities" {
		return engineapi.Span{Name: "exchange_capabilities"}
	}
	return engineapi.Span{Name: "forward"}
}

// passOn forwards one call of a batch that cannot be forwarded as a whole.
func (r *Router) passOn(ctx context.Context, header http.Header, req *jsonrpc.Request) []byte {
	release, err := r.slot(ctx)
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, engineapi.Failure(err))
	}
	defer release()
	answered, err := r.meanwhile([]jsonrpc.Request{*req})
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, engineapi.Failure(err))
	}
	defer answered()
	reply, err := r.cfg.L2.ForwardMethod(ctx, req.Method, plain(header), req.Raw)
	r.cfg.Copies.Copy(req) // after it, as in Forward
	if err != nil {
		r.failed.Inc()
		return jsonrpc.AppendError(nil, req.ID, engineapi.Failure(err))
	}
	if req.Notification() {
		return nil
	}
	resp, err := jsonrpc.ParseResponse(reply.Body)
	return engineapi.Answer(req, resp, err)
}

// plain is a header without the wish for a compressed answer, which could not be put into a batch.
func plain(header http.Header) http.Header {
	out := header.Clone()
	out.Del("Accept-Encoding")
	return out
}
