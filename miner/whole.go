// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/stateless"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rlp"
)

// buildWhole builds a block of transactions that must all be valid and of what fill adds, nil for nothing. It
// uses nothing of the job but what is fixed before it runs, so it may run beside it. A panic is an error.
func (j *job) buildWhole(ctx context.Context, txs []*types.Transaction, fill func(*environment) error) (a *answer, err error) {
	defer j.recovered("building a block", &err)
	start := j.clock.Now()
	if j.hooks.beforeWhole != nil {
		j.hooks.beforeWhole()
	}
	db, witness, err := j.openWhole()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadableState, err)
	}
	defer db.StopPrefetcher()
	env, err := newEnvironment(j.chain, j.parent, j.header, db, firstOf(txs), j.config.VMConfig(j.header))
	if err != nil {
		return nil, err
	}
	env.failsafe = j.failsafe
	if err := env.force(ctx, txs); err != nil {
		return nil, err
	}
	if fill != nil {
		if err := fill(env); err != nil {
			return nil, err
		}
	}
	if a, err = j.sealWhole(env, db, witness); err != nil {
		return nil, err
	}
	a.took = j.clock.Now().Sub(start)
	return a, nil
}

// openWhole opens the state of the parent to execute on and to hash, and begins its witness if one was asked
// for.
func (j *job) openWhole() (*state.StateDB, *stateless.Witness, error) {
	db, err := j.chain.StateAt(j.parent.Root)
	if err != nil {
		return nil, nil, err
	}
	var witness *stateless.Witness
	if j.witness {
		if witness, err = stateless.NewWitness(j.header, j.chain, false); err != nil {
			return nil, nil, err
		}
	}
	// The tries are loaded while transactions execute, as in an import, and each node that is needed is noted.
	db.StartPrefetcher("miner", witness)
	return db, witness, nil
}

// sealWhole makes the block of everything that env has executed on db.
func (j *job) sealWhole(env *environment, db *state.StateDB, witness *stateless.Witness) (*answer, error) {
	p := env.extend(new(prefix), NewListRoot())
	j.finalize(db)
	txs := NewListRoot()
	txs.Extend(encodedList(p.raws))
	r := hashRoots(db, txs)
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadableState, r.err)
	}
	a := j.complete(&p, r, db)
	if witness != nil {
		enc, err := rlp.EncodeToBytes(witness)
		if err != nil {
			return nil, err
		}
		a.envelope.Witness = (*hexutil.Bytes)(&enc)
		a.sealed = nil // an import would go on with the witness
	}
	return a, nil
}

// rebuild builds exactly what was published, or the attributes' transactions if nothing was, on a fresh state:
// what a job gives that has failed, or that was left before it had anything.
func (j *job) rebuild(ctx context.Context) (*answer, error) {
	if j.form == streamed {
		j.metrics.fallbacks.Inc()
	}
	txs := j.args.Transactions
	if p, _, _ := j.gate.outcome(); p.indices > 0 {
		txs = p.txs
	}
	a, err := j.buildWhole(ctx, txs, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownPayload, err)
	}
	return a, nil
}

// recovered turns a panic into an error. It is to be deferred.
func (j *job) recovered(doing string, err *error) {
	if r := recover(); r != nil {
		log.Error("Panic while "+doing, "id", j.id, "number", j.header.Number, "err", r, "stack", string(debug.Stack()))
		*err = fmt.Errorf("%w while %s: %v", errPanic, doing, r)
	}
}
