// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// graphqlBackend keeps one view for each GraphQL query. Every field of a query is resolved by calls of its
// own with contexts that derive from the request's, none of which we make. What they have in common is
// the channel that the request's end closes.
type graphqlBackend struct {
	*Backend
	requests sync.Map // <-chan struct{} -> *view
}

func (g *graphqlBackend) pin(ctx context.Context) context.Context {
	done := ctx.Done()
	if done == nil || pinned(ctx) != nil {
		return ctx
	}
	known, loaded := g.requests.LoadOrStore(done, g.current())
	if !loaded {
		context.AfterFunc(ctx, func() { g.requests.Delete(done) })
	}
	return context.WithValue(ctx, viewKey{}, known)
}

// HeaderByNumberOrHash implements ethapi.Backend.
func (g *graphqlBackend) HeaderByNumberOrHash(ctx context.Context, at rpc.BlockNumberOrHash) (*types.Header, error) {
	return g.Backend.HeaderByNumberOrHash(g.pin(ctx), at)
}

// StateAndHeaderByNumberOrHash implements ethapi.Backend.
func (g *graphqlBackend) StateAndHeaderByNumberOrHash(ctx context.Context, at rpc.BlockNumberOrHash) (*state.StateDB, *types.Header, error) {
	return g.Backend.StateAndHeaderByNumberOrHash(g.pin(ctx), at)
}

// GetPoolNonce implements ethapi.Backend.
func (g *graphqlBackend) GetPoolNonce(ctx context.Context, addr common.Address) (uint64, error) {
	return g.Backend.GetPoolNonce(g.pin(ctx), addr)
}
