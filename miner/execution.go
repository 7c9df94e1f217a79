// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
)

// Execution executes a block under construction, transaction by transaction, as the builder does: what a
// follower runs the transactions of received flashblocks on. It is not safe for concurrent use.
type Execution struct{ env *environment }

// NewExecution runs what precedes the first transaction of the block that header begins, on a state of
// its parent. chain has to know the ancestors that BLOCKHASH may ask for. l1Info is the block's first
// transaction, nil if there is none.
func NewExecution(chain core.ChainContext, parent, header *types.Header, db *state.StateDB, l1Info *types.Transaction, vmConfig vm.Config) (*Execution, error) {
	env, err := newEnvironment(chain, parent, header, db, l1Info, vmConfig)
	if err != nil {
		return nil, err
	}
	return &Execution{env: env}, nil
}

// Execute appends a transaction to the block and returns its receipt, with block hash zero. An error
// means that the transaction is not valid here; the state is then as before.
func (e *Execution) Execute(tx *types.Transaction) (*types.Receipt, error) {
	if err := e.env.commit(tx, budget{}); err != nil {
		return nil, err
	}
	return e.env.receipts[len(e.env.receipts)-1], nil
}

// Capture returns what changed since the last capture, or since the start.
func (e *Execution) Capture() *StateDiff { return e.env.state.capture() }

// Err is why what was executed cannot be trusted: something of the state could not be read, which the EVM takes
// for zero. Nothing executed since then may be published. It stays once it is set.
func (e *Execution) Err() error { return e.env.err() }

// GasUsed is the gas used by everything executed so far.
func (e *Execution) GasUsed() uint64 { return e.env.used.gas }

// DAFootprint is the Jovian DA footprint of everything executed so far, zero before Jovian.
func (e *Execution) DAFootprint() uint64 { return e.env.used.footprint }

// Cancel makes the transaction that is being executed fail, and every later one too. It may be called from
// any goroutine. The execution is worthless afterwards.
func (e *Execution) Cancel() { e.env.cancel() }
