// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/superchain"
)

// headerChain is what the time between two blocks is learned from.
type headerChain interface {
	Config() *gethparams.ChainConfig
	CurrentBlock() *types.Header
	GetHeaderByHash(hash common.Hash) *types.Header
	HasHeader(hash common.Hash, number uint64) bool
}

// LearnBlockTime returns the time between two blocks of a chain, as its head and the parent of that tell; at the
// genesis block, as the superchain registry in op-geth tells of a chain with this genesis. It is 0 for a chain
// of which neither is known.
func LearnBlockTime(chain headerChain) time.Duration {
	config, head := chain.Config(), chain.CurrentBlock()
	// The slots of an OP Stack chain are equal from Bedrock on, and none is left out.
	if parent := chain.GetHeaderByHash(head.ParentHash); parent != nil && config.IsOptimismBedrock(parent.Number) {
		return time.Duration(head.Time-parent.Time) * time.Second
	}
	if !config.ChainID.IsUint64() {
		return 0
	}
	known, err := superchain.GetChain(config.ChainID.Uint64())
	if err != nil {
		return 0 // a chain of its own
	}
	registered, err := known.Config()
	if err != nil {
		return 0 // op-geth's own start reports a broken registry
	}
	// Others may use the id of a known chain, with other slots.
	if genesis := registered.Genesis.L2; !chain.HasHeader(genesis.Hash, genesis.Number) {
		return 0
	}
	return time.Duration(registered.BlockTime) * time.Second
}
