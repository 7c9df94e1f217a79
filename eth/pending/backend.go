// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/gasprice"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/rpc"
)

// Backend is op-geth's API backend with another meaning of "pending": the newest snapshot of the overlay,
// or exactly what op-geth answers while there is none. Everything else is op-geth's.
//
// A request that asks more than once pins its snapshot in the context first, so that all it is told comes
// from one moment.
type Backend struct {
	*gethEth.EthAPIBackend

	chain  *core.BlockChain
	pool   *txpool.TxPool
	source Source
	fees   gasprice.Config
	handed *handedOn
}

var _ ethapi.Backend = (*Backend)(nil)

func newBackend(ethereum *gethEth.Ethereum, source Source, fees gasprice.Config) *Backend {
	return &Backend{
		EthAPIBackend: ethereum.APIBackend,
		chain:         ethereum.BlockChain(),
		pool:          ethereum.TxPool(),
		source:        source,
		fees:          fees,
		handed:        newHandedOn(time.Now),
	}
}

type viewKey struct{}

// pin fixes what "pending" means for everything that is asked with the returned context.
func (b *Backend) pin(ctx context.Context) (context.Context, *view) {
	if v := pinned(ctx); v != nil {
		return ctx, v
	}
	v := b.current()
	return context.WithValue(ctx, viewKey{}, v), v
}

// pinIf pins if the request is about the pending block.
func (b *Backend) pinIf(ctx context.Context, at rpc.BlockNumberOrHash) context.Context {
	if isPending(at) {
		ctx, _ = b.pin(ctx)
	}
	return ctx
}

// pinned returns the view that the context carries, nil if none.
func pinned(ctx context.Context) *view {
	v, _ := ctx.Value(viewKey{}).(*view)
	return v
}

// view returns what "pending" means to the request.
func (b *Backend) view(ctx context.Context) *view {
	if v := pinned(ctx); v != nil {
		return v
	}
	return b.current()
}

// current returns the view of this moment.
func (b *Backend) current() *view { return &view{config: b.chain.Config(), snap: b.source.Snapshot()} }

func isPending(at rpc.BlockNumberOrHash) bool {
	number, ok := at.Number()
	return ok && number == rpc.PendingBlockNumber
}

// HeaderByNumber implements ethapi.Backend.
func (b *Backend) HeaderByNumber(ctx context.Context, number rpc.BlockNumber) (*types.Header, error) {
	if number == rpc.PendingBlockNumber {
		if v := b.view(ctx); v.snap != nil {
			return v.snap.Header, nil
		}
	}
	return b.EthAPIBackend.HeaderByNumber(ctx, number)
}

// HeaderByNumberOrHash implements ethapi.Backend.
func (b *Backend) HeaderByNumberOrHash(ctx context.Context, at rpc.BlockNumberOrHash) (*types.Header, error) {
	if isPending(at) {
		return b.HeaderByNumber(ctx, rpc.PendingBlockNumber)
	}
	return b.EthAPIBackend.HeaderByNumberOrHash(ctx, at)
}

// HeaderByHash implements ethapi.Backend. A pinned request finds its own pending blocks.
func (b *Backend) HeaderByHash(ctx context.Context, hash common.Hash) (*types.Header, error) {
	if v := pinned(ctx).byHash(hash); v != nil {
		return v.snap.Block().Header(), nil
	}
	return b.EthAPIBackend.HeaderByHash(ctx, hash)
}

// BlockByNumber implements ethapi.Backend.
func (b *Backend) BlockByNumber(ctx context.Context, number rpc.BlockNumber) (*types.Block, error) {
	if number == rpc.PendingBlockNumber {
		if v := b.view(ctx); v.snap != nil {
			return v.snap.Block(), nil
		}
	}
	return b.EthAPIBackend.BlockByNumber(ctx, number)
}

// BlockByNumberOrHash implements ethapi.Backend.
func (b *Backend) BlockByNumberOrHash(ctx context.Context, at rpc.BlockNumberOrHash) (*types.Block, error) {
	if isPending(at) {
		return b.BlockByNumber(ctx, rpc.PendingBlockNumber)
	}
	return b.EthAPIBackend.BlockByNumberOrHash(ctx, at)
}

// BlockByHash implements ethapi.Backend. A pinned request finds its own pending blocks.
func (b *Backend) BlockByHash(ctx context.Context, hash common.Hash) (*types.Block, error) {
	if v := pinned(ctx).byHash(hash); v != nil {
		return v.snap.Block(), nil
	}
	return b.EthAPIBackend.BlockByHash(ctx, hash)
}

// GetReceipts implements ethapi.Backend. A pinned request finds those of its own pending blocks.
func (b *Backend) GetReceipts(ctx context.Context, hash common.Hash) (types.Receipts, error) {
	if v := pinned(ctx).byHash(hash); v != nil {
		return v.snap.Receipts, nil
	}
	return b.EthAPIBackend.GetReceipts(ctx, hash)
}

// StateAndHeaderByNumber implements ethapi.Backend.
func (b *Backend) StateAndHeaderByNumber(ctx context.Context, number rpc.BlockNumber) (*state.StateDB, *types.Header, error) {
	if number == rpc.PendingBlockNumber {
		if v := b.view(ctx); v.snap != nil {
			db, err := v.snap.State()
			return db, v.snap.Header, err
		}
	}
	return b.EthAPIBackend.StateAndHeaderByNumber(ctx, number)
}

// StateAndHeaderByNumberOrHash implements ethapi.Backend.
func (b *Backend) StateAndHeaderByNumberOrHash(ctx context.Context, at rpc.BlockNumberOrHash) (*state.StateDB, *types.Header, error) {
	if isPending(at) {
		return b.StateAndHeaderByNumber(ctx, rpc.PendingBlockNumber)
	}
	return b.EthAPIBackend.StateAndHeaderByNumberOrHash(ctx, at)
}

// Pending implements ethapi.Backend. Block, receipts and state are of one snapshot.
func (b *Backend) Pending() (*types.Block, types.Receipts, *state.StateDB) {
	v := b.current()
	if v.snap == nil {
		return b.EthAPIBackend.Pending()
	}
	db, err := v.snap.State()
	if err != nil {
		return nil, nil, nil
	}
	return v.snap.Block(), v.snap.Receipts, db
}

// GetEVM implements ethapi.Backend. On a pending block of a pinned request BLOCKHASH knows the pending
// blocks underneath.
func (b *Backend) GetEVM(ctx context.Context, db *state.StateDB, header *types.Header, vmConfig *vm.Config, blockCtx *vm.BlockContext) *vm.EVM {
	if v := pinned(ctx).under(header); v != nil {
		var pending vm.BlockContext
		if blockCtx != nil {
			pending = *blockCtx
		} else {
			pending = core.NewEVMBlockContext(header, b.chain, nil, b.chain.Config(), db)
		}
		pending.GetHash = core.GetHashFn(header, chainUnder(b.chain, v.snap))
		blockCtx = &pending
	}
	return b.EthAPIBackend.GetEVM(ctx, db, header, vmConfig, blockCtx)
}

// GetPoolNonce implements ethapi.Backend: the first nonce that neither the pending state nor the pool has
// used. Transactions that the pool holds back count if they follow: those of a gap that the pending state
// closes, and the newest, which the pool first holds back in any case. So do those that were handed on to the
// sequencer a moment ago. A pinned request is told what follows its own state: the pool's own answer is of the
// head, which may have passed it.
func (b *Backend) GetPoolNonce(ctx context.Context, addr common.Address) (uint64, error) {
	next := uint64(0)
	if v := pinned(ctx); v == nil || v.snap == nil {
		next = b.pool.PoolNonce(addr)
	}
	if v := b.view(ctx); v.snap == nil {
		next = max(next, b.latestNonce(addr))
	} else {
		db, err := v.snap.State()
		if err != nil {
			return 0, err
		}
		pending := db.GetNonce(addr)
		if err := db.Error(); err != nil {
			return 0, err
		}
		next = max(next, pending)
	}
	executable, queued := b.pool.ContentFrom(addr)
	held := make(map[uint64]struct{}, len(executable)+len(queued))
	for _, txs := range [][]*types.Transaction{executable, queued} {
		for _, tx := range txs {
			held[tx.Nonce()] = struct{}{}
		}
	}
	for _, handed := range b.handed.nonces(addr) {
		held[handed.nonce] = struct{}{}
	}
	for {
		if _, ok := held[next]; !ok {
			return next, nil
		}
		next++
	}
}

// latestNonce is the nonce in the state of the head, zero if that is not there. The pool follows the head
// with a delay, in which its own answer would fall behind what was seen at pending a moment before.
func (b *Backend) latestNonce(addr common.Address) uint64 {
	db, err := b.chain.StateAt(b.chain.CurrentBlock().Root)
	if err != nil {
		return 0
	}
	return db.GetNonce(addr)
}
