// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/log"
)

// processor is op-geth's block processor, except that a block this builder has sealed is not executed
// a second time: its state is handed over.
type processor struct {
	core.Processor
	builder *Builder
}

// Processor wraps op-geth's processor. Installed in the blockchain, it lets the import of an own block
// (newPayload) go on from the sealed state: op-geth's validator still checks every root against the
// header, and commits the state as if it had executed the block itself.
func (b *Builder) Processor(stock core.Processor) core.Processor {
	return &processor{Processor: stock, builder: b}
}

// Process implements core.Processor.
func (p *processor) Process(ctx context.Context, block *types.Block, statedb *state.StateDB, cfg vm.Config) (*core.ProcessResult, error) {
	// A tracer, preimages and a witness are by-products of execution.
	if cfg.Tracer != nil || cfg.EnablePreimageRecording || statedb.Witness() != nil {
		return p.Processor.Process(ctx, block, statedb, cfg)
	}
	s := p.builder.takeSealed(block.Hash())
	if s == nil {
		return p.Processor.Process(ctx, block, statedb, cfg)
	}
	log.Debug("Importing own block from its sealed state", "number", block.Number(), "hash", block.Hash())
	p.builder.metrics.reused.Inc()
	return s.handOver(statedb), nil
}

// handOver makes statedb the sealed state and returns what executing the block would have. The sealed
// state must not be used afterwards.
func (s *sealed) handOver(statedb *state.StateDB) *core.ProcessResult {
	adopt(statedb, s.state)
	res := &core.ProcessResult{
		Receipts: make(types.Receipts, len(s.receipts)),
		Requests: s.requests,
		GasUsed:  s.block.GasUsed(),
	}
	// The receipts are shared with the stream, whose readers must not see them change.
	for i, receipt := range s.receipts {
		cpy := *receipt
		cpy.BlockHash = s.block.Hash()
		cpy.Logs = make([]*types.Log, len(receipt.Logs))
		for k, l := range receipt.Logs {
			logCpy := *l
			logCpy.BlockHash = s.block.Hash()
			cpy.Logs[k] = &logCpy
		}
		res.Receipts[i] = &cpy
		res.Logs = append(res.Logs, cpy.Logs...)
	}
	return res
}
