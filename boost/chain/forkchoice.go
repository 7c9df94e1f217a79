// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package chain

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// ForkchoiceUpdated gives the local execution layer's answer as it is. The builder hears of it in the
// background; if a block is to be built, both sides build, and a round begins.
func (h *Handler) ForkchoiceUpdated(ctx context.Context, req *jsonrpc.Request) []byte {
	start := h.cfg.Now()
	args, err := req.Args()
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, engineapi.Failure(err))
	}
	kind := backend.KindForkchoice
	if len(args) > 1 && !isNull(args[1]) {
		kind = backend.KindBuild
	}
	outcomes := h.cfg.Local.Submit(kind, req, args)
	var (
		r     *round.Round
		tell  func()
		build *round.Request
		lone  bool // a build without the builder
	)
	switch {
	case !h.cfg.AsksBuilder():
		lone = kind == backend.KindBuild
	case kind == backend.KindBuild:
		if build = h.buildRequest(req, args); build != nil {
			tell = func() { r = h.begin(req, build) }
		}
	default:
		tell = func() { h.tellBuilder(kind, *req) }
	}
	resp, err := h.await(ctx, outcomes, tell)
	engineapi.ForkchoiceSpan(req.Method).Observe(h.cfg.Metrics, start, h.cfg.Now(), resp, err)
	switch {
	case r != nil:
		h.bindLocal(r, resp, err)
	case lone:
		h.replace(resp, err)
	}
	return engineapi.Answer(req, resp, err)
}

// buildRequest reads a build that the builder has a part in, nil for any other.
func (h *Handler) buildRequest(req *jsonrpc.Request, args []json.RawMessage) *round.Request {
	parsed, err := round.ParseRequest(req.Method, args)
	switch {
	case err != nil:
		return nil // what is wrong with it, the local execution layer says
	case parsed.NoTxPool:
		h.cfg.Rounds.Abandon()
		return nil
	}
	return parsed
}

// begin starts a round and lets the builder build. It returns nil if the builder must not.
func (h *Handler) begin(req *jsonrpc.Request, parsed *round.Request) *round.Round {
	if !h.cfg.Observer.MayBuild() {
		// It is only kept up to date, so that it can recover. The next block is the local execution layer's alone.
		h.cfg.Rounds.Abandon()
		h.withheld.Inc()
		h.tellBuilder(backend.KindForkchoice, jsonrpc.NewRequest(req.ID, req.Method, parsed.State, json.RawMessage("null")))
		return nil
	}
	if number, ok := h.cfg.Payloads.Number(parsed.Head); ok {
		parsed.Number = number + 1
	}
	r := h.cfg.Rounds.Begin(parsed)
	h.cfg.Builder.Enqueue(backend.Job{Kind: backend.KindBuild, Req: req, Done: func(resp *jsonrpc.Response, err error) {
		err = bindBuilder(r, resp, err)
		h.observe(health.Builder, resp, err)
		if err != nil {
			h.cfg.Log.Debug("Builder builds no block", "parent", parsed.Head, "err", err)
		}
	}})
	return r
}

// bindBuilder records what the builder answered to a build.
func bindBuilder(r *round.Round, resp *jsonrpc.Response, err error) error {
	id, err := engineapi.BuildAnswer(resp, err)
	if err != nil {
		r.FailBuilder(err)
		return err
	}
	r.BindBuilder(id)
	return nil
}

// bindLocal records what the local execution layer answered to a build.
func (h *Handler) bindLocal(r *round.Round, resp *jsonrpc.Response, err error) {
	id, err := engineapi.LocalAnswer(resp, err)
	if err != nil {
		r.FailLocal(err.Error())
		return
	}
	// A repeated request has its twin's payload, which is watched already.
	if r.BindLocal(id) == r && h.cfg.Publishing() {
		h.cfg.Payloads.Watch(r, id)
	}
}

// replace abandons what was being built when the local execution layer has begun to build something else, alone. The
// same request again, after the mode was switched, is the same block: what was published of it stands.
func (h *Handler) replace(resp *jsonrpc.Response, err error) {
	if h.cfg.Rounds == nil {
		return
	}
	if id, err := engineapi.LocalAnswer(resp, err); err == nil && h.cfg.Rounds.Lookup(id) == nil {
		h.cfg.Rounds.Abandon()
	}
}

func isNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }
