// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"errors"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
)

// testingAPI serves the testing namespace as catalyst.Register does (eth/catalyst/api_testing.go), whose
// own type cannot be had without a second ConsensusAPI.
type testingAPI struct {
	chain   *core.BlockChain
	builder Builder
}

// BuildBlockV1 serves testing_buildBlockV1: a block on the current head with exactly the given
// transactions, or with the pool's if none are given.
func (api *testingAPI) BuildBlockV1(parent common.Hash, attrs engine.PayloadAttributes, transactions *[]hexutil.Bytes, extraData *hexutil.Bytes) (*engine.ExecutionPayloadEnvelope, error) {
	if api.chain.CurrentBlock().Hash() != parent {
		return nil, errors.New("parentHash is not current head")
	}
	var (
		txs   []*types.Transaction
		extra = []byte{}
	)
	if transactions != nil {
		raw := make([][]byte, len(*transactions))
		for i, tx := range *transactions {
			raw[i] = tx
		}
		var err error
		if txs, err = engine.DecodeTransactions(raw); err != nil {
			return nil, err
		}
	}
	if extraData != nil {
		extra = *extraData
	}
	args := &gethminer.BuildPayloadArgs{
		Parent:       parent,
		Timestamp:    attrs.Timestamp,
		FeeRecipient: attrs.SuggestedFeeRecipient,
		Random:       attrs.Random,
		Withdrawals:  attrs.Withdrawals,
		BeaconRoot:   attrs.BeaconRoot,
	}
	return api.builder.BuildTestBlock(args, txs, extra)
}
