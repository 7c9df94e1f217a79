// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/eth/gasestimator"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	"github.com/ethereum/go-ethereum/internal/ethapi/override"
	"github.com/ethereum/go-ethereum/rpc"
)

// estimateErrorRatio is how much eth_estimateGas may overestimate, the same as op-geth's.
const estimateErrorRatio = 0.015

// EthAPI overrides the methods of the eth namespace that answer wrongly at pending on our backend, or
// ask it more than once. Questions about anything else go to the stock code unchanged.
type EthAPI struct {
	b     *Backend
	chain *ethapi.BlockChainAPI  // stock code on our backend
	txs   *ethapi.TransactionAPI // the same
	stock *ethapi.BlockChainAPI  // stock code on op-geth's backend
}

func newEthAPI(b *Backend) *EthAPI {
	return &EthAPI{
		b:     b,
		chain: ethapi.NewBlockChainAPI(b),
		txs:   ethapi.NewTransactionAPI(b, new(ethapi.AddrLocker)),
		stock: ethapi.NewBlockChainAPI(b.EthAPIBackend),
	}
}

// GetBalance serves eth_getBalance.
func (api *EthAPI) GetBalance(ctx context.Context, address common.Address, at rpc.BlockNumberOrHash) (*hexutil.Big, error) {
	return api.chain.GetBalance(api.b.pinIf(ctx, at), address, at)
}

// GetCode serves eth_getCode.
func (api *EthAPI) GetCode(ctx context.Context, address common.Address, at rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
	return api.chain.GetCode(api.b.pinIf(ctx, at), address, at)
}

// GetStorageAt serves eth_getStorageAt.
func (api *EthAPI) GetStorageAt(ctx context.Context, address common.Address, key string, at rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
	return api.chain.GetStorageAt(api.b.pinIf(ctx, at), address, key, at)
}

// GetProof serves eth_getProof. The pending block has no tries that something could be proven of.
func (api *EthAPI) GetProof(ctx context.Context, address common.Address, keys []string, at rpc.BlockNumberOrHash) (*ethapi.AccountResult, error) {
	if isPending(at) {
		pinned, v := api.b.pin(ctx)
		if v.snap != nil {
			return nil, errNoPendingProof
		}
		ctx = pinned
	}
	return api.chain.GetProof(ctx, address, keys, at)
}

// Call serves eth_call.
func (api *EthAPI) Call(ctx context.Context, args ethapi.TransactionArgs, at *rpc.BlockNumberOrHash, state *override.StateOverride, block *override.BlockOverrides) (hexutil.Bytes, error) {
	if at != nil {
		ctx = api.b.pinIf(ctx, *at)
	}
	return api.chain.Call(ctx, args, at, state, block)
}

// CreateAccessList serves eth_createAccessList.
func (api *EthAPI) CreateAccessList(ctx context.Context, args ethapi.TransactionArgs, at *rpc.BlockNumberOrHash, state *override.StateOverride) (any, error) {
	if at != nil {
		ctx = api.b.pinIf(ctx, *at)
	}
	return api.chain.CreateAccessList(ctx, args, at, state)
}

// SimulateV1 serves eth_simulateV1. At pending it simulates what follows the pending block.
func (api *EthAPI) SimulateV1(ctx context.Context, opts json.RawMessage, at *rpc.BlockNumberOrHash) (any, error) {
	if at != nil {
		ctx = api.b.pinIf(ctx, *at)
	}
	return withFirst(ctx, api.chain.SimulateV1, opts, at)
}

// withFirst calls a method whose first parameter is of a type without a name outside its package.
func withFirst[A, B, R any](ctx context.Context, method func(context.Context, A, B) (R, error), raw json.RawMessage, second B) (any, error) {
	var first A
	if err := json.Unmarshal(raw, &first); err != nil {
		return nil, invalidParamsf("invalid argument 0: %v", err)
	}
	return method(ctx, first, second)
}

// EstimateGas serves eth_estimateGas.
func (api *EthAPI) EstimateGas(ctx context.Context, args ethapi.TransactionArgs, at *rpc.BlockNumberOrHash, state *override.StateOverride, block *override.BlockOverrides) (hexutil.Uint64, error) {
	if at != nil && isPending(*at) {
		pinned, v := api.b.pin(ctx)
		if v.snap != nil {
			return v.estimateGas(pinned, api.b, args, state, block)
		}
		ctx = pinned
	}
	return api.chain.EstimateGas(ctx, args, at, state, block)
}

// estimateGas estimates on the pending block. Other than the stock code it lets BLOCKHASH see the pending
// blocks underneath.
func (v *view) estimateGas(ctx context.Context, b *Backend, args ethapi.TransactionArgs, overrides *override.StateOverride, block *override.BlockOverrides) (hexutil.Uint64, error) {
	db, err := v.snap.State()
	if err != nil {
		return 0, err
	}
	header, chain := v.snap.Header, chainUnder(b.chain, v.snap)
	blockCtx := core.NewEVMBlockContext(header, chain, nil, v.config, db)
	if err := block.Apply(&blockCtx); err != nil {
		return 0, err
	}
	rules := v.config.Rules(blockCtx.BlockNumber, blockCtx.Random != nil, blockCtx.Time)
	if err := overrides.Apply(db, vm.ActivePrecompiledContracts(rules)); err != nil {
		return 0, err
	}
	if args.Gas == nil {
		args.Gas = new(hexutil.Uint64) // the cap is not the caller's wish
	}
	if err := args.CallDefaults(b.RPCGasCap(), header.BaseFee, v.config.ChainID); err != nil {
		return 0, err
	}
	estimate, returned, err := gasestimator.Estimate(ctx, args.ToMessage(header.BaseFee, true), &gasestimator.Options{
		Config:         v.config,
		Chain:          chain,
		Header:         header,
		State:          db,
		BlockOverrides: block,
		ErrorRatio:     estimateErrorRatio,
	}, b.RPCGasCap())
	if errors.Is(err, vm.ErrExecutionReverted) {
		return 0, newRevertError(returned)
	}
	return hexutil.Uint64(estimate), err
}
