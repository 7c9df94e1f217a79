// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/rpc"
)

// graphqlBackend keeps one view for each GraphQL query. Every field of a query is resolved by calls of its
// own with contexts that derive from the request's, none of which we make. What they have in common is
// the channel that the request's end closes.
type graphqlBackend struct {
	*Backend

	mu      sync.Mutex
	queries map[<-chan struct{}]*view // in progress
}

func newGraphQLBackend(b *Backend) *graphqlBackend {
	return &graphqlBackend{Backend: b, queries: make(map[<-chan struct{}]*view)}
}

func (g *graphqlBackend) pin(ctx context.Context) context.Context {
	done := ctx.Done()
	if done == nil || pinned(ctx) != nil {
		return ctx
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	v, ok := g.queries[done]
	if !ok {
		v = g.current()
		g.queries[done] = v
		context.AfterFunc(ctx, func() { g.end(done) })
	}
	return context.WithValue(ctx, viewKey{}, v)
}

func (g *graphqlBackend) end(done <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.queries, done)
}

// viewUnder finds the view that has given out a header, nil if none of a query in progress has.
func (g *graphqlBackend) viewUnder(header *types.Header) *view {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, v := range g.queries {
		if v.under(header) != nil {
			return v
		}
	}
	return nil
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

// GetEVM implements ethapi.Backend. The context is one that ends before the query does; the header tells
// whose call it is.
func (g *graphqlBackend) GetEVM(ctx context.Context, db *state.StateDB, header *types.Header, vmConfig *vm.Config, blockCtx *vm.BlockContext) *vm.EVM {
	if v := g.viewUnder(header); v != nil {
		ctx = context.WithValue(ctx, viewKey{}, v)
	}
	return g.Backend.GetEVM(ctx, db, header, vmConfig, blockCtx)
}

// GetPoolTransactions implements ethapi.Backend. GraphQL takes it for what the pending state holds, which on
// our nodes is the block under construction. It is asked without a context: what it tells may be a flashblock
// newer than the rest of the query.
func (g *graphqlBackend) GetPoolTransactions() (types.Transactions, error) {
	if v := g.current(); v.snap != nil {
		return v.snap.Txs, nil
	}
	return g.Backend.GetPoolTransactions()
}

// GetPoolTransaction implements ethapi.Backend. GraphQL asks it for what is not canonical.
func (g *graphqlBackend) GetPoolTransaction(hash common.Hash) *types.Transaction {
	if at, i, ok := g.current().find(hash); ok {
		return at.snap.Txs[i]
	}
	return g.Backend.GetPoolTransaction(hash)
}
