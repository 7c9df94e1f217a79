// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
)

// BuildTestBlock builds what op-geth's testing namespace asks for, and keeps nothing of it: a block of exactly
// the given transactions, or filled from the pool if they are nil. extra is the extra data of a block before
// Holocene; later ones have no room for it.
func (b *Builder) BuildTestBlock(args *gethminer.BuildPayloadArgs, txs []*types.Transaction, extra []byte) (*engine.ExecutionPayloadEnvelope, error) {
	j, err := b.draftTest(args, extra)
	if err != nil {
		return nil, err
	}
	defer b.wg.Done()
	fill := j.fillWhole
	if txs != nil {
		fill = func(env *environment) error { return env.commitAll(txs) }
	}
	a, err := j.buildWhole(b.lifeCtx, args.Transactions, fill)
	if err != nil {
		return nil, err
	}
	a.envelope.BlockValue = new(big.Int) // op-geth does not tell it either
	return a.envelope, nil
}

// draftTest returns a job that is not kept, counted by the group that Stop waits for.
func (b *Builder) draftTest(args *gethminer.BuildPayloadArgs, extra []byte) (*job, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrStopped
	}
	j, err := b.newJob(args.Id(), args, Options{Whole: true})
	if err != nil {
		return nil, err
	}
	if !j.chain.Config().IsHolocene(j.header.Time) {
		j.header.Extra = extra
	}
	b.wg.Add(1)
	return j, nil
}

// commitAll executes transactions that must all be valid.
func (env *environment) commitAll(txs []*types.Transaction) error {
	for _, tx := range txs {
		if err := env.commit(tx, budget{}); err != nil {
			return err
		}
	}
	return env.err()
}
