// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/eth/tracers/logger"

	"github.com/ethereum/go-ethereum/flashgeth/internal/fork"
)

// traceTimeout bounds the trace of one transaction if the request does not, as in op-geth.
const traceTimeout = 5 * time.Second

var errTraceTimeout = errors.New("execution timeout")

// tracedRun is one execution under a tracer.
type tracedRun struct {
	tx          *types.Transaction
	msg         *core.Message
	where       tracers.Context
	blockCtx    vm.BlockContext
	db          *state.StateDB
	precompiles vm.PrecompiledContracts // nil for those of the block
}

// run executes under the tracer that the request asks for and returns what the tracer says.
func (p *viewTracer) run(ctx context.Context, run *tracedRun, config *tracers.TraceConfig) (json.RawMessage, error) {
	if config == nil {
		config = new(tracers.TraceConfig)
	}
	tracer, err := p.tracer(&run.where, config)
	if err != nil {
		return nil, err
	}
	timeout := traceTimeout
	if config.Timeout != nil {
		if timeout, err = time.ParseDuration(*config.Timeout); err != nil {
			return nil, err
		}
	}
	vmConfig := fork.VMConfig(p.b.ChainConfig(), p.view.snap.Header)
	vmConfig.Tracer, vmConfig.NoBaseFee = tracer.Hooks, true
	evm := p.b.EthAPIBackend.GetEVM(ctx, run.db, p.view.snap.Header, &vmConfig, &run.blockCtx)
	evm.StateDB = state.NewHookedState(run.db, tracer.Hooks)
	if run.precompiles != nil {
		evm.SetPrecompiles(run.precompiles)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		tracer.Stop(errTraceTimeout)
		evm.Cancel()
	})
	defer stop()

	run.db.SetTxContext(run.where.TxHash, run.where.TxIndex)
	_, err = core.ApplyTransactionWithEVM(run.msg, core.NewGasPool(run.msg.GasLimit), run.db, run.blockCtx.BlockNumber, run.where.BlockHash, run.blockCtx.Time, run.tx, evm)
	if err != nil {
		return nil, fmt.Errorf("tracing failed: %w", err)
	}
	return tracer.GetResult()
}

// tracer makes the tracer that the request names, op-geth's struct logger without a name.
func (p *viewTracer) tracer(where *tracers.Context, config *tracers.TraceConfig) (*tracers.Tracer, error) {
	if config.Tracer == nil {
		l := logger.NewStructLogger(config.Config)
		return &tracers.Tracer{Hooks: l.Hooks(), GetResult: l.GetResult, Stop: l.Stop}, nil
	}
	return tracers.DefaultDirectory.New(*config.Tracer, where, config.TracerConfig, p.view.config)
}
