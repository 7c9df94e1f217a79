// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/consensus/misc/eip4844"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
)

// newHeader prepares the header of the block to build, up to the fields that execution fills in. It
// follows op-geth's miner (miner/worker.go, prepareWork) for every fork from Bedrock to Jovian, and for Amsterdam, which
// is none of the OP Stack. A parent on which no block can stand is an error.
func newHeader(chain *core.BlockChain, parent *types.Header, args *gethminer.BuildPayloadArgs, gasCeil uint64) (*types.Header, error) {
	cfg := chain.Config()
	header := &types.Header{
		ParentHash: args.Parent,
		Number:     new(big.Int).Add(parent.Number, common.Big1),
		GasLimit:   core.CalcGasLimit(parent.GasLimit, gasCeil),
		Time:       args.Timestamp,
		Coinbase:   args.FeeRecipient,
		MixDigest:  args.Random,
		UncleHash:  types.EmptyUncleHash,
	}
	if cfg.IsLondon(header.Number) {
		var err error
		if header.BaseFee, err = nextBaseFee(cfg, parent, header.Time); err != nil {
			return nil, err
		}
	}
	switch {
	case args.GasLimit != nil:
		header.GasLimit = *args.GasLimit
	case cfg.IsOptimism() && gasCeil != 0:
		header.GasLimit = gasCeil
	}
	if err := setExtra(chain, header, args); err != nil {
		return nil, err
	}
	if err := chain.Engine().Prepare(chain, header); err != nil {
		return nil, err
	}
	if cfg.IsCancun(header.Number, header.Time) {
		var excess uint64
		if cfg.IsCancun(parent.Number, parent.Time) {
			excess = eip4844.CalcExcessBlobGas(cfg, parent, header.Time)
		}
		header.BlobGasUsed = new(uint64)
		header.ExcessBlobGas = &excess
		header.ParentBeaconRoot = args.BeaconRoot
	}
	if cfg.IsAmsterdam(header.Number, header.Time) {
		if args.SlotNum == nil {
			return nil, errMissingSlot
		}
		header.BlockAccessListHash = &types.EmptyBlockAccessListHash
		header.SlotNumber = args.SlotNum
	}
	return header, nil
}

// setExtra encodes the base fee parameters into the extra data, from Holocene and Jovian on.
func setExtra(chain *core.BlockChain, header *types.Header, args *gethminer.BuildPayloadArgs) error {
	cfg := chain.Config()
	if cfg.IsJovian(header.Time) && args.MinBaseFee == nil {
		return errMissingMinBaseFee
	}
	if !cfg.IsHolocene(header.Time) {
		if args.EIP1559Params != nil {
			return errUnexpected1559
		}
		return nil
	}
	if err := eip1559.ValidateHolocene1559Params(args.EIP1559Params); err != nil {
		return err
	}
	denominator, elasticity := eip1559.DecodeHolocene1559Params(args.EIP1559Params)
	if denominator == 0 {
		// Zero parameters ask for the chain's constants (Holocene specification).
		denominator = cfg.BaseFeeChangeDenominator(header.Time)
		elasticity = cfg.ElasticityMultiplier()
	}
	header.Extra = eip1559.EncodeOptimismExtraData(cfg, header.Time, denominator, elasticity, args.MinBaseFee)
	return nil
}
