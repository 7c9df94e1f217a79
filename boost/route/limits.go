// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package route

import (
	"context"

	"github.com/ethereum/go-ethereum/flashgeth/boost/copies"
	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

const (
	// waitingPerSlot bounds how many bodies wait to be passed on. They are memory, and an execution layer that
	// is so far behind is not helped by them.
	waitingPerSlot = 16

	// maxSyncing bounds the bodies with calls that wait for a block that are passed on at a time. Each holds a
	// connection for seconds, of which op-batcher, the health polls and all others need some, too.
	maxSyncing = 32
)

// codeBusy is EIP-1474's "limit exceeded".
const codeBusy = -32005

var errBusy = &jsonrpc.Error{Code: codeBusy, Message: "too many requests are waiting for the execution layer"}

// slot waits for the right to pass a body on.
func (r *Router) slot(ctx context.Context) (release func(), err error) {
	if r.waiting.Add(1) > int64(cap(r.slots)*(1+waitingPerSlot)) {
		r.waiting.Add(-1)
		return nil, errBusy
	}
	select {
	case r.slots <- struct{}{}:
		return func() {
			<-r.slots
			r.waiting.Add(-1)
		}, nil
	case <-ctx.Done():
		r.waiting.Add(-1)
		return nil, ctx.Err()
	}
}

// meanwhile has the builder hear of the transactions among the calls that are answered when they are in a block. The
// error is for a body that must not be passed on, because too many of its kind are waiting.
func (r *Router) meanwhile(calls []jsonrpc.Request) (answered func(), err error) {
	if !copies.WaitsForBlock(calls) {
		return func() {}, nil
	}
	if r.syncing.Add(1) > maxSyncing {
		r.syncing.Add(-1)
		return nil, errBusy
	}
	told := r.cfg.Copies.Meanwhile(calls)
	return func() {
		r.syncing.Add(-1)
		told()
	}, nil
}
