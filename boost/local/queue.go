// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package local puts the calls that move the chain to the local execution layer in one order, and remembers the head
// that op-node gave last in it: what the sidecar makes the execution layer build itself must never move the head back.
package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// ErrMovedOn is returned for a build on a block that is not op-node's head any more.
var ErrMovedOn = errors.New("op-node has chosen another head")

// Submitter makes calls in the order in which it is given them, and never blocks; *backend.Queue is one.
type Submitter interface{ Submit(job backend.Job) }

// Outcome is how a call ended.
type Outcome struct {
	Resp *jsonrpc.Response
	Err  error // the call got no answer
}

// Wait waits for an outcome, or for the caller to leave.
func Wait(ctx context.Context, outcomes <-chan Outcome) Outcome {
	select {
	case o := <-outcomes:
		return o
	case <-ctx.Done():
		return Outcome{Err: ctx.Err()}
	}
}

// Queue is the order of the calls. Its methods are safe for concurrent use.
type Queue struct {
	calls Submitter
	moved func(head common.Hash)

	mu    sync.Mutex // held while a call is put into the queue, so that both are in one order
	state json.RawMessage
	head  common.Hash
}

// forkchoiceState is what the sidecar reads of a forkchoice state.
type forkchoiceState struct {
	Head common.Hash `json:"headBlockHash"`
}

// NewQueue returns the order of the calls that are given to calls. moved, if not nil, hears of op-node's heads in that
// order; it must not block.
func NewQueue(calls Submitter, moved func(head common.Hash)) *Queue {
	return &Queue{calls: calls, moved: moved}
}

// Submit puts a call of op-node's into the queue. args are those of a forkchoice update, nil for any other call. The
// outcome comes once.
func (q *Queue) Submit(kind backend.Kind, req *jsonrpc.Request, args []json.RawMessage) <-chan Outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	var state forkchoiceState
	if len(args) > 0 && json.Unmarshal(args[0], &state) == nil {
		q.state, q.head = bytes.Clone(args[0]), state.Head
		if q.moved != nil {
			q.moved(state.Head)
		}
	}
	return q.submit(kind, req)
}

// SubmitBuild puts a build of the sidecar's own into the queue, on the head that op-node has given last: a late one
// must never move the head, or what is safe, back. args are those of the forkchoice update; their state is replaced.
// The error is ErrMovedOn if op-node has left the head.
func (q *Queue) SubmitBuild(head common.Hash, method string, args []json.RawMessage) (<-chan Outcome, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head != head {
		return nil, ErrMovedOn
	}
	if q.state != nil {
		args[0] = q.state
	}
	return q.submit(backend.KindBuild, engineapi.OwnRequest(method, args...)), nil
}

func (q *Queue) submit(kind backend.Kind, req *jsonrpc.Request) <-chan Outcome {
	done := make(chan Outcome, 1)
	q.calls.Submit(backend.Job{Kind: kind, Req: req, Done: func(resp *jsonrpc.Response, err error) { done <- Outcome{resp, err} }})
	return done
}
