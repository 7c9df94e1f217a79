// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/consensus/misc/eip4844"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
)

// checkArgs validates what op-geth's miner validates before it accepts a build, and returns the parent
// and the time between the two blocks.
func checkArgs(chain *core.BlockChain, args *gethminer.BuildPayloadArgs) (*types.Header, time.Duration, error) {
	parent := chain.GetHeaderByHash(args.Parent)
	if parent == nil {
		return nil, 0, fmt.Errorf("%w %v", errMissingParent, args.Parent)
	}
	if args.Timestamp <= parent.Time {
		return nil, 0, fmt.Errorf("invalid timestamp, parent %d given %d", parent.Time, args.Timestamp)
	}
	// A gap of more than an hour is no slot; the bound keeps the schedule's arithmetic in range.
	gap := min(args.Timestamp-parent.Time, 3600)
	return parent, time.Duration(gap) * time.Second, nil
}

// newHeader prepares the header of the block to build, up to the fields that execution fills in. It
// follows op-geth's miner (miner/worker.go, prepareWork) for every fork from Bedrock to Jovian.
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
		header.BaseFee = eip1559.CalcBaseFee(cfg, parent, header.Time)
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
