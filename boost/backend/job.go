// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package backend

import (
	"bytes"
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// Kind is what a queue needs to know of a call.
type Kind uint8

// The kinds of calls in a queue.
const (
	KindNewPayload Kind = iota // engine_newPayload
	KindForkchoice             // engine_forkchoiceUpdated without attributes
	KindBuild                  // engine_forkchoiceUpdated with attributes
)

// String returns the kind's label in metrics.
func (k Kind) String() string {
	switch k {
	case KindNewPayload:
		return "newPayload"
	case KindForkchoice:
		return "forkchoice"
	case KindBuild:
		return "build"
	default:
		return "unknown"
	}
}

// CoalesceMode is what a queue does with calls that wait.
type CoalesceMode uint8

const (
	// CoalesceNewest drops what a newer call makes pointless: nobody waits for the single answers.
	// That is the way of a builder, which is kept up to date in the background.
	CoalesceNewest CoalesceMode = iota

	// CoalesceIdentical drops nothing, but makes one call for consecutive forkchoice updates with the
	// same parameters. That is the way of the local EL, whose answers somebody waits for.
	CoalesceIdentical
)

// Job is one call.
type Job struct {
	Kind Kind
	Req  *jsonrpc.Request

	// Done, if not nil, gets the outcome, exactly once and never with both or neither set. It must not
	// block. It runs on the queue's goroutine; only if more outcomes are due than a queue keeps, it runs
	// within another Submit, so no lock that it takes may be held around Submit.
	Done func(*jsonrpc.Response, error)
}

// entry is a job in the queue, or several that share a call.
type entry struct {
	kind       Kind
	req        *jsonrpc.Request
	at         time.Time // When the first was submitted
	waiters    []*waiter
	background bool // Somebody submitted it who does not withdraw
}

// waiter is one who is to be told. Its done is nil if nobody wants to know any more.
type waiter struct {
	done func(*jsonrpc.Response, error)
}

// size is what the entry keeps in memory, roughly.
func (e *entry) size() int {
	size := len(e.req.Raw) + 256
	if e.req.Body != nil {
		size += len(e.req.Body.Bytes())
	}
	return size
}

// same reports whether two calls differ in their ids at most.
func (e *entry) same(req *jsonrpc.Request) bool {
	return e.req.Method == req.Method && bytes.Equal(e.req.Params, req.Params)
}
