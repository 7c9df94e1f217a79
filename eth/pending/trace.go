// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/internal/ethapi"
)

// txTrace is one transaction's part of a block's trace, in op-geth's form.
type txTrace struct {
	TxHash common.Hash `json:"txHash"`
	Result any         `json:"result,omitempty"`
}

// viewTracer traces on the blocks of one view. op-geth's own API looks up the ancestors of a block by
// computing hashes of headers, which those of pending blocks do not have yet.
type viewTracer struct {
	b    *Backend
	view *view
}

// block traces every transaction of the pending block.
func (p *viewTracer) block(ctx context.Context, config *tracers.TraceConfig) ([]txTrace, error) {
	db, blockCtx, err := p.before(ctx, 0)
	if err != nil {
		return nil, err
	}
	traces := make([]txTrace, len(p.view.snap.Txs))
	for i, tx := range p.view.snap.Txs {
		result, err := p.transaction(ctx, i, db, blockCtx, config)
		if err != nil {
			return nil, err
		}
		traces[i] = txTrace{TxHash: tx.Hash(), Result: result}
	}
	return traces, nil
}

// transaction traces one transaction of the block on the state before it.
func (p *viewTracer) transaction(ctx context.Context, i int, db *state.StateDB, blockCtx vm.BlockContext, config *tracers.TraceConfig) (any, error) {
	s := p.view.snap
	signer := types.MakeSigner(p.view.config, s.Header.Number, s.Header.Time)
	msg, err := core.TransactionToMessage(s.Txs[i], signer, s.Header.BaseFee)
	if err != nil {
		return nil, err
	}
	run := &tracedRun{
		tx: s.Txs[i], msg: msg, blockCtx: blockCtx, db: db,
		where: tracers.Context{BlockNumber: s.Header.Number, TxIndex: i, TxHash: s.Txs[i].Hash()},
	}
	return p.run(ctx, run, config)
}

// call traces a call on the pending block, or on the state before one of its transactions.
func (p *viewTracer) call(ctx context.Context, args ethapi.TransactionArgs, config *tracers.TraceCallConfig) (any, error) {
	if config == nil {
		config = new(tracers.TraceCallConfig)
	}
	db, header, err := p.callState(ctx, config)
	if err != nil {
		return nil, err
	}
	blockCtx := core.NewEVMBlockContext(header, chainUnder(p.b.chain, p.view.snap), nil, p.view.config, db)
	if err := config.BlockOverrides.Apply(&blockCtx); err != nil {
		return nil, err
	}
	rules := p.view.config.Rules(blockCtx.BlockNumber, blockCtx.Random != nil, blockCtx.Time)
	precompiles := vm.ActivePrecompiledContracts(rules)
	if err := config.StateOverrides.Apply(db, precompiles); err != nil {
		return nil, err
	}
	if err := args.CallDefaults(p.b.RPCGasCap(), blockCtx.BaseFee, p.view.config.ChainID); err != nil {
		return nil, err
	}
	run := &tracedRun{
		tx: args.ToTransaction(types.DynamicFeeTxType), msg: args.ToMessage(blockCtx.BaseFee, true),
		blockCtx: blockCtx, db: db, precompiles: precompiles,
	}
	// As in eth_call: who offers no price is asked for none.
	if run.msg.GasPrice.Sign() == 0 {
		run.blockCtx.BaseFee = new(big.Int)
	}
	if run.msg.BlobGasFeeCap != nil && run.msg.BlobGasFeeCap.BitLen() == 0 {
		run.blockCtx.BlobBaseFee = new(big.Int)
	}
	return p.run(ctx, run, &config.TraceConfig)
}

// callState opens the state that a call runs on, and the header of its environment. A call in the block
// after the pending one, which wallets ask for by overriding the number, sees the pending block by hash.
func (p *viewTracer) callState(ctx context.Context, config *tracers.TraceCallConfig) (*state.StateDB, *types.Header, error) {
	s := p.view.snap
	header := types.CopyHeader(s.Header)
	if o := config.BlockOverrides; o != nil && o.Number != nil && o.Number.ToInt().IsUint64() && o.Number.ToInt().Uint64() == s.Number()+1 {
		header.ParentHash = s.Block().Hash()
		header.Number.Add(header.Number, common.Big1)
	}
	if config.TxIndex == nil {
		db, err := s.State()
		return db, header, err
	}
	if uint64(*config.TxIndex) >= uint64(len(s.Txs)) {
		return nil, nil, fmt.Errorf("transaction index %d out of range for the pending block", *config.TxIndex)
	}
	db, _, err := p.before(ctx, int(*config.TxIndex))
	return db, header, err
}

// before opens the state before a transaction of the block. Index 0 is the state after what precedes the
// transactions.
func (p *viewTracer) before(ctx context.Context, index int) (*state.StateDB, vm.BlockContext, error) {
	s, config := p.view.snap, p.view.config
	db, err := p.parentState()
	if err != nil {
		return nil, vm.BlockContext{}, errors.Join(errNoPendingState, err)
	}
	blockCtx := core.NewEVMBlockContext(s.Header, chainUnder(p.b.chain, s), nil, config, db)
	evm := p.b.EthAPIBackend.GetEVM(ctx, db, s.Header, nil, &blockCtx)
	if s.Header.ParentBeaconRoot != nil {
		core.ProcessBeaconBlockRoot(*s.Header.ParentBeaconRoot, evm)
	}
	if config.IsPrague(s.Header.Number, s.Header.Time) {
		core.ProcessParentBlockHash(s.Header.ParentHash, evm)
	}
	signer := types.MakeSigner(config, s.Header.Number, s.Header.Time)
	for i, tx := range s.Txs[:index] {
		if err := ctx.Err(); err != nil {
			return nil, vm.BlockContext{}, err
		}
		msg, err := core.TransactionToMessage(tx, signer, s.Header.BaseFee)
		if err != nil {
			return nil, vm.BlockContext{}, err
		}
		db.SetTxContext(tx.Hash(), i)
		if _, err := core.ApplyMessage(evm, msg, core.NewGasPool(tx.Gas())); err != nil {
			return nil, vm.BlockContext{}, fmt.Errorf("transaction %s failed: %w", tx.Hash(), err)
		}
		db.Finalise(true)
	}
	return db, blockCtx, nil
}

// parentState opens the state that the block builds on.
func (p *viewTracer) parentState() (*state.StateDB, error) {
	if parent := p.view.snap.Parent; parent != nil {
		return parent.State()
	}
	return p.b.chain.StateAt(p.view.snap.Anchor().Root)
}
