// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"math"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/rpc"
)

// GetHeaderByNumber serves eth_getHeaderByNumber.
func (api *EthAPI) GetHeaderByNumber(ctx context.Context, number rpc.BlockNumber) (map[string]any, error) {
	if number == rpc.PendingBlockNumber {
		pinned, v := api.b.pin(ctx)
		if v.snap != nil {
			return v.marshalHeader(), nil
		}
		ctx = pinned
	}
	return api.chain.GetHeaderByNumber(ctx, number)
}

// GetBlockByNumber serves eth_getBlockByNumber.
func (api *EthAPI) GetBlockByNumber(ctx context.Context, number rpc.BlockNumber, fullTx bool) (map[string]any, error) {
	if number == rpc.PendingBlockNumber {
		pinned, v := api.b.pin(ctx)
		if v.snap != nil {
			return MarshalBlock(pinned, v.config, v.snap, fullTx)
		}
		ctx = pinned
	}
	return api.chain.GetBlockByNumber(ctx, number, fullTx)
}

// GetBlockReceipts serves eth_getBlockReceipts.
func (api *EthAPI) GetBlockReceipts(ctx context.Context, at rpc.BlockNumberOrHash) ([]map[string]any, error) {
	if isPending(at) {
		if v := api.b.view(ctx); v.snap != nil {
			return v.marshalReceipts(), nil
		}
		// The stock code takes everything pending from the backend at once, unpinned, and ours would look
		// at the overlay again.
		return api.stock.GetBlockReceipts(ctx, at)
	}
	return api.chain.GetBlockReceipts(ctx, at)
}

// GetTransactionByBlockNumberAndIndex serves eth_getTransactionByBlockNumberAndIndex.
func (api *EthAPI) GetTransactionByBlockNumberAndIndex(ctx context.Context, number rpc.BlockNumber, index hexutil.Uint) (*ethapi.RPCTransaction, error) {
	if number == rpc.PendingBlockNumber {
		pinned, v := api.b.pin(ctx)
		if v.snap != nil {
			return MarshalTransaction(pinned, v.config, v.snap, int(min(index, math.MaxInt32)))
		}
		ctx = pinned
	}
	return api.txs.GetTransactionByBlockNumberAndIndex(ctx, number, index)
}

// GetTransactionByHash serves eth_getTransactionByHash: canonical, else pending, else in the pool. The
// view is taken first, so that a transaction that becomes canonical meanwhile is found in one of them.
func (api *EthAPI) GetTransactionByHash(ctx context.Context, hash common.Hash) (*ethapi.RPCTransaction, error) {
	ctx, i, at, known := api.b.lookUp(ctx, hash)
	switch {
	case !known:
		return nil, nil //nolint:nilnil // the API's way to say that there is no such transaction
	case at != nil:
		return MarshalTransaction(ctx, at.config, at.snap, i)
	}
	return api.txs.GetTransactionByHash(ctx, hash)
}

// GetRawTransactionByHash serves eth_getRawTransactionByHash.
func (api *EthAPI) GetRawTransactionByHash(ctx context.Context, hash common.Hash) (hexutil.Bytes, error) {
	ctx, i, at, known := api.b.lookUp(ctx, hash)
	switch {
	case !known:
		return nil, nil
	case at != nil:
		return at.snap.Txs[i].MarshalBinary()
	}
	return api.txs.GetRawTransactionByHash(ctx, hash)
}

// GetTransactionReceipt serves eth_getTransactionReceipt: canonical, else pending.
func (api *EthAPI) GetTransactionReceipt(ctx context.Context, hash common.Hash) (map[string]any, error) {
	ctx, i, at, known := api.b.lookUp(ctx, hash)
	switch {
	case !known:
		return nil, nil //nolint:nilnil // the API's way to say that there is no such receipt
	case at != nil:
		return at.marshalReceipt(i), nil
	}
	return api.txs.GetTransactionReceipt(ctx, hash)
}

// lookUp finds a transaction, its index and its block, if that is pending and the transaction not canonical;
// the block is nil if op-geth's code has to look for it. To a request whose view was pinned by who made it,
// blocks that have become canonical above what the view stands on are not known.
func (b *Backend) lookUp(ctx context.Context, hash common.Hash) (_ context.Context, index int, at *view, known bool) {
	early := pinned(ctx)
	ctx, v := b.pin(ctx)
	if early == nil || early.snap == nil {
		index, at, _ = b.pendingOnly(v, hash)
		return ctx, index, at, true
	}
	if at, index, ok := v.find(hash); ok {
		return ctx, index, at, true
	}
	base, _ := v.base()
	canonical, _, _, number, _ := b.GetCanonicalTransaction(hash)
	return ctx, 0, nil, !canonical || number <= base
}

// pendingOnly finds a transaction in the pending blocks if it is not canonical.
func (b *Backend) pendingOnly(v *view, hash common.Hash) (int, *view, bool) {
	at, i, ok := v.find(hash)
	if !ok {
		return 0, nil, false
	}
	if canonical, _, _, _, _ := b.GetCanonicalTransaction(hash); canonical {
		return 0, nil, false
	}
	return i, at, true
}
