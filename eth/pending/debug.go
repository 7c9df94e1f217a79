// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/rpc"
)

// DebugAPI overrides the methods of the debug namespace that ask more than once for what is
// pending, or refuse it.
type DebugAPI struct {
	b     *Backend
	stock *tracers.API
	raw   *ethapi.DebugAPI
}

func newDebugAPI(b *Backend) *DebugAPI {
	return &DebugAPI{b: b, stock: tracers.NewAPI(b.EthAPIBackend), raw: ethapi.NewDebugAPI(b)}
}

// TraceCall serves debug_traceCall. op-geth refuses pending; while it is latest, that is traced.
func (api *DebugAPI) TraceCall(ctx context.Context, args ethapi.TransactionArgs, at rpc.BlockNumberOrHash, config *tracers.TraceCallConfig) (any, error) {
	if isPending(at) {
		if v := api.b.view(ctx); v.snap != nil {
			return (&viewTracer{b: api.b, view: v}).call(ctx, args, config)
		}
		at = rpc.BlockNumberOrHashWithNumber(rpc.LatestBlockNumber)
	}
	return api.stock.TraceCall(ctx, args, at, config)
}

// TraceBlockByNumber serves debug_traceBlockByNumber.
func (api *DebugAPI) TraceBlockByNumber(ctx context.Context, number rpc.BlockNumber, config *tracers.TraceConfig) (any, error) {
	if number == rpc.PendingBlockNumber {
		if v := api.b.view(ctx); v.snap != nil {
			return (&viewTracer{b: api.b, view: v}).block(ctx, config)
		}
	}
	return api.stock.TraceBlockByNumber(ctx, number, config)
}

// TraceTransaction serves debug_traceTransaction: canonical first, then pending.
func (api *DebugAPI) TraceTransaction(ctx context.Context, hash common.Hash, config *tracers.TraceConfig) (any, error) {
	i, at, ok := api.b.pendingOnly(api.b.view(ctx), hash)
	if !ok {
		return api.stock.TraceTransaction(ctx, hash, config)
	}
	p := &viewTracer{b: api.b, view: at}
	db, blockCtx, err := p.before(ctx, i)
	if err != nil {
		return nil, err
	}
	return p.transaction(ctx, i, db, blockCtx, config)
}

// GetRawHeader serves debug_getRawHeader.
func (api *DebugAPI) GetRawHeader(ctx context.Context, at rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
	return api.raw.GetRawHeader(api.b.pinIf(ctx, at), at)
}

// GetRawBlock serves debug_getRawBlock.
func (api *DebugAPI) GetRawBlock(ctx context.Context, at rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
	return api.raw.GetRawBlock(api.b.pinIf(ctx, at), at)
}

// GetRawReceipts serves debug_getRawReceipts.
func (api *DebugAPI) GetRawReceipts(ctx context.Context, at rpc.BlockNumberOrHash) ([]hexutil.Bytes, error) {
	return api.raw.GetRawReceipts(api.b.pinIf(ctx, at), at)
}
