// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eltest

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Forkchoice is an answer to a forkchoice update.
func Forkchoice(status string, id *engine.PayloadID) map[string]any {
	return map[string]any{"payloadStatus": map[string]any{"status": status, "latestValidHash": Parent, "validationError": nil}, "payloadId": id}
}

// PayloadStatus is an answer to a new payload.
func PayloadStatus(status string) map[string]any {
	return map[string]any{"status": status, "latestValidHash": Parent, "validationError": nil, "unheard": "of"}
}

// NewL2 returns a local execution layer that builds a block of the deposit, or from given transactions that of the
// builder's.
func NewL2() *Layer {
	l := NewLayer()
	l.On(engineapi.ForkchoiceUpdated, Handler(func(_ context.Context, req *jsonrpc.Request) (any, error) {
		switch {
		case IsRebuild(req):
			return Forkchoice(engine.VALID, &RebuiltID), nil
		case !HasAttributes(req):
			return Forkchoice(engine.VALID, nil), nil
		}
		return Forkchoice(engine.VALID, &LocalID), nil
	}))
	l.On(engineapi.NewPayload, PayloadStatus(engine.VALID))
	l.On(engineapi.GetPayload, Envelope(Flashblocks(LocalID, 1, false), nil))
	l.RebuildsTo(3)
	return l
}

// NewBuilder returns a builder of a block of three flashblocks without roots.
func NewBuilder() *Layer {
	l := NewLayer()
	l.On(engineapi.ForkchoiceUpdated, Handler(func(_ context.Context, req *jsonrpc.Request) (any, error) {
		if !HasAttributes(req) {
			return Forkchoice(engine.VALID, nil), nil
		}
		return Forkchoice(engine.VALID, &BuilderID), nil
	}))
	l.On(engineapi.NewPayload, PayloadStatus(engine.VALID))
	l.On(engineapi.GetPayload, Envelope(Flashblocks(BuilderID, 3, false), nil))
	return l
}

// HasAttributes reports whether a forkchoice update asks for a block.
func HasAttributes(req *jsonrpc.Request) bool {
	args, err := req.Args()
	return err == nil && len(args) > 1 && string(bytes.TrimSpace(args[1])) != "null"
}

// IsRebuild reports whether a forkchoice update asks for a block of given transactions.
func IsRebuild(req *jsonrpc.Request) bool {
	return bytes.Contains(req.Params, []byte(`"noTxPool":true`))
}

// RefuseRebuild makes a local execution layer refuse to build from given transactions.
func (l *Layer) RefuseRebuild() {
	before := l.Handler(engineapi.ForkchoiceUpdated)
	l.On(engineapi.ForkchoiceUpdated, Handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		if IsRebuild(req) {
			return nil, &jsonrpc.Error{Code: -38003, Message: "Invalid payload attributes"}
		}
		return before(ctx, req)
	}))
}

// RebuildsTo makes a local execution layer build a block of so many flashblocks from given transactions.
func (l *Layer) RebuildsTo(count int) {
	before := l.Handler(engineapi.GetPayload)
	l.On(engineapi.GetPayload, Handler(func(ctx context.Context, req *jsonrpc.Request) (any, error) {
		if bytes.Contains(req.Params, []byte(RebuiltID.String())) {
			return Envelope(Flashblocks(BuilderID, count, false), nil), nil
		}
		return before(ctx, req)
	}))
}

// HasRebuilt reports whether a local execution layer was asked for a block that it has built from given transactions.
func (l *Layer) HasRebuilt() bool {
	for _, call := range l.Asked(engineapi.GetPayload) {
		if strings.Contains(string(call.Params), RebuiltID.String()) {
			return true
		}
	}
	return false
}

// Encode is a request's body in the form that op-node gives it.
func Encode(method string, args ...any) []byte {
	body, err := json.Marshal(struct {
		Version string `json:"jsonrpc"`
		ID      int    `json:"id"`
		Method  string `json:"method"`
		Params  []any  `json:"params"`
	}{"2.0", 7, method, args})
	if err != nil {
		panic(err)
	}
	return body
}

// Request is a call of op-node's.
func Request(method string, args ...any) *jsonrpc.Request {
	reqs, _, err := jsonrpc.ParseBody(Encode(method, args...))
	if err != nil {
		panic(err)
	}
	return &reqs[0]
}

// Args are parameters as they come with a request.
func Args(req *jsonrpc.Request) []json.RawMessage {
	args, err := req.Args()
	if err != nil {
		panic(err)
	}
	return args
}
