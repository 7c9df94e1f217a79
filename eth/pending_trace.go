// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/rpc"
)

// PendingDebugAPI overrides the methods of the debug namespace that ask more than once for what is
// pending, or refuse it.
type PendingDebugAPI struct {
	b     *Backend
	trace *tracers.API
	raw   *ethapi.DebugAPI
}

func newPendingDebugAPI(b *Backend) *PendingDebugAPI {
	return &PendingDebugAPI{b: b, trace: tracers.NewAPI(b), raw: ethapi.NewDebugAPI(b)}
}

// TraceCall serves debug_traceCall. op-geth refuses pending by its name, so that the pending block is
// asked for by the hash that it has in the request's view.
func (api *PendingDebugAPI) TraceCall(ctx context.Context, args ethapi.TransactionArgs, at rpc.BlockNumberOrHash, config *tracers.TraceCallConfig) (any, error) {
	if isPending(at) {
		pinned, v := api.b.pin(ctx)
		ctx, at = pinned, rpc.BlockNumberOrHashWithNumber(rpc.LatestBlockNumber)
		if v.snap != nil {
			at = rpc.BlockNumberOrHashWithHash(v.snap.Block().Hash(), false)
		}
	}
	return api.trace.TraceCall(ctx, args, at, config)
}

// TraceBlockByNumber serves debug_traceBlockByNumber.
func (api *PendingDebugAPI) TraceBlockByNumber(ctx context.Context, number rpc.BlockNumber, config *tracers.TraceConfig) (any, error) {
	return api.trace.TraceBlockByNumber(api.b.pinIf(ctx, rpc.BlockNumberOrHashWithNumber(number)), number, config)
}

// GetRawHeader serves debug_getRawHeader.
func (api *PendingDebugAPI) GetRawHeader(ctx context.Context, at rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
	return api.raw.GetRawHeader(api.b.pinIf(ctx, at), at)
}

// GetRawBlock serves debug_getRawBlock.
func (api *PendingDebugAPI) GetRawBlock(ctx context.Context, at rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
	return api.raw.GetRawBlock(api.b.pinIf(ctx, at), at)
}

// GetRawReceipts serves debug_getRawReceipts.
func (api *PendingDebugAPI) GetRawReceipts(ctx context.Context, at rpc.BlockNumberOrHash) ([]hexutil.Bytes, error) {
	return api.raw.GetRawReceipts(api.b.pinIf(ctx, at), at)
}

// StateAtBlock implements tracers.Backend. The states of a pinned request's pending blocks need no
// execution.
func (b *Backend) StateAtBlock(ctx context.Context, block *types.Block, reexec uint64, base *state.StateDB, readOnly, preferDisk bool) (*state.StateDB, tracers.StateReleaseFunc, error) {
	if v := pinned(ctx).of(block); v != nil {
		db, err := v.snap.State()
		return db, func() {}, err
	}
	return b.EthAPIBackend.StateAtBlock(ctx, block, reexec, base, readOnly, preferDisk)
}

// StateAtTransaction implements tracers.Backend.
func (b *Backend) StateAtTransaction(ctx context.Context, block *types.Block, index int, reexec uint64) (*types.Transaction, vm.BlockContext, *state.StateDB, tracers.StateReleaseFunc, error) {
	v := pinned(ctx).of(block)
	if v == nil {
		return b.EthAPIBackend.StateAtTransaction(ctx, block, index, reexec)
	}
	if index < 0 || index >= len(v.snap.Txs) {
		return nil, vm.BlockContext{}, nil, nil, fmt.Errorf("transaction index %d out of range for the pending block", index)
	}
	db, err := b.parentState(v)
	if err != nil {
		return nil, vm.BlockContext{}, nil, nil, errors.Join(errNoPendingState, err)
	}
	header := v.snap.Header
	blockCtx := core.NewEVMBlockContext(header, chainUnder(b.chain, v.snap), nil, v.config, db)
	if err := b.replay(ctx, v, db, blockCtx, index); err != nil {
		return nil, vm.BlockContext{}, nil, nil, err
	}
	return v.snap.Txs[index], blockCtx, db, func() {}, nil
}

// parentState opens the state that the view's block builds on.
func (b *Backend) parentState(v *view) (*state.StateDB, error) {
	if v.snap.Parent != nil {
		return v.snap.Parent.State()
	}
	return b.chain.StateAt(v.snap.Anchor().Root)
}

// replay executes what precedes a transaction of the view's block.
func (b *Backend) replay(ctx context.Context, v *view, db *state.StateDB, blockCtx vm.BlockContext, index int) error {
	header := v.snap.Header
	evm := b.EthAPIBackend.GetEVM(ctx, db, header, nil, &blockCtx)
	if header.ParentBeaconRoot != nil {
		core.ProcessBeaconBlockRoot(*header.ParentBeaconRoot, evm)
	}
	if v.config.IsPrague(header.Number, header.Time) {
		core.ProcessParentBlockHash(header.ParentHash, evm)
	}
	signer := types.MakeSigner(v.config, header.Number, header.Time)
	for i, tx := range v.snap.Txs[:index] {
		if err := ctx.Err(); err != nil {
			return err
		}
		msg, err := core.TransactionToMessage(tx, signer, header.BaseFee)
		if err != nil {
			return err
		}
		db.SetTxContext(tx.Hash(), i)
		if _, err := core.ApplyMessage(evm, msg, core.NewGasPool(tx.Gas())); err != nil {
			return fmt.Errorf("transaction %s failed: %w", tx.Hash(), err)
		}
		db.Finalise(true)
	}
	return nil
}
