// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"

	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// maxBaseFeeBits is what the EVM and the Engine API have room for.
const maxBaseFeeBits = 256

// nextBaseFee is the base fee in wei of a block at the given time on parent. op-geth's own function, which it
// calls, divides by what it finds in the parent's header and panics over a zero. Here that is an error: the
// parent has no child that any node could compute.
func nextBaseFee(cfg *gethparams.ChainConfig, parent *types.Header, time uint64) (*big.Int, error) {
	if !cfg.IsLondon(parent.Number) {
		return eip1559.CalcBaseFee(cfg, parent, time), nil
	}
	denominator, elasticity := baseFeeParams(cfg, parent, time)
	metered := parent.GasUsed
	if cfg.IsJovian(parent.Time) {
		if parent.BlobGasUsed == nil {
			return nil, errNoFootprint
		}
		metered = max(metered, *parent.BlobGasUsed)
	}
	switch {
	case parent.BaseFee == nil:
		return nil, errNoBaseFee
	case denominator == 0 || elasticity == 0:
		return nil, errNoBaseFeeParams
	case parent.GasLimit/elasticity == 0 && metered > 0:
		return nil, errNoGasTarget
	}
	fee := eip1559.CalcBaseFee(cfg, parent, time)
	if fee.BitLen() > maxBaseFeeBits {
		return nil, errBaseFeeOverflow
	}
	return fee, nil
}

// baseFeeParams returns what the base fee of a block at the given time on parent is computed with: from the
// parent's extra data since Holocene, else the chain's own. A zero stands for a value that is not there.
func baseFeeParams(cfg *gethparams.ChainConfig, parent *types.Header, time uint64) (denominator, elasticity uint64) {
	if op := cfg.Optimism; op != nil && cfg.IsCanyon(time) && (op.EIP1559DenominatorCanyon == nil || *op.EIP1559DenominatorCanyon == 0) {
		return 0, 0 // op-geth panics over it, in later forks too
	}
	if cfg.IsOptimismHolocene(parent.Time) {
		denominator, elasticity, _ = eip1559.DecodeOptimismExtraData(cfg, parent.Time, parent.Extra)
		return denominator, elasticity
	}
	return cfg.BaseFeeChangeDenominator(time), cfg.ElasticityMultiplier()
}
