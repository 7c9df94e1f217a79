// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"math/big"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// Builder is what a consensus client and an operator drive, a miner.Builder.
type Builder interface {
	// BuildPayload starts to build a payload, or finishes one without the pool, unless that was done before.
	// Its errors concern the arguments, unless they wrap miner.ErrNotBuilt, and nothing was published when it
	// returns one.
	BuildPayload(args *gethminer.BuildPayloadArgs, opts miner.Options) (engine.PayloadID, error)
	// BuildTestBlock builds a block of the given transactions, or of the pool's if they are nil.
	BuildTestBlock(args *gethminer.BuildPayloadArgs, txs []*types.Transaction, extra []byte) (*engine.ExecutionPayloadEnvelope, error)
	// Has tells whether a payload is the builder's.
	Has(id engine.PayloadID) bool
	// GetPayload seals a payload; repeated calls give the same answer.
	GetPayload(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error)
	// NewHead tells the builder of the head that a forkchoice update has moved to.
	NewHead(head common.Hash)

	// What the miner namespace sets is copied, and a size of zero is no limit.

	SetMaxDASize(maxTx, maxBlock *big.Int)
	SetGasLimit(limit uint64)
	SetGasTip(tip *big.Int)
}

var _ Builder = (*miner.Builder)(nil)
