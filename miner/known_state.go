// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"context"
	"reflect"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
)

// knownState is a block processor that makes no state a second time.
type knownState struct {
	core.Processor
	chain *core.BlockChain
}

// NewProcessor wraps a chain's processor. Installed in the blockchain, it executes every block, but hands back a state
// that the chain has already as unchanged, so that it is not committed again.
//
// Two blocks on one parent can lead to one state, as two empty ones do. op-geth's path database keeps for each
// account in which states it was written, oldest first (triedb/pathdb, lookup). A state that is committed again, when
// another stands on it, comes behind that one, and from then on the newer state answers with the older one's values:
// the next block on it is found invalid, and so is every good one.
func NewProcessor(stock core.Processor, chain *core.BlockChain) core.Processor {
	return &knownState{Processor: stock, chain: chain}
}

// Process implements core.Processor.
func (p *knownState) Process(ctx context.Context, block *types.Block, statedb *state.StateDB, cfg vm.Config) (*core.ProcessResult, error) {
	res, err := p.Processor.Process(ctx, block, statedb, cfg)
	if err != nil || p.chain.TrieDB().Scheme() != rawdb.PathScheme || !p.chain.HasState(block.Root()) {
		return res, err
	}
	if statedb.IntermediateRoot(p.chain.Config().IsEIP158(block.Number())) != block.Root() {
		return res, nil // the validator refuses it
	}
	known, err := p.chain.StateAt(block.Root())
	if err != nil {
		return nil, err
	}
	adopt(statedb, known)
	return res, nil
}

// adopt makes a state another one, which is given up.
func adopt(statedb, other *state.StateDB) {
	// The caller's prefetcher would be orphaned by the assignment below.
	statedb.StopPrefetcher()
	// StateDB offers no way to adopt another's content. Assigning the whole value is sound, as both
	// are on the same database and the source is given up; reflection is used because
	// the struct holds atomic counters, which vet rightly refuses to see copied in ordinary code.
	reflect.ValueOf(statedb).Elem().Set(reflect.ValueOf(other).Elem())
}
