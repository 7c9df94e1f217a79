// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"fmt"
	"math/big"

	opparams "github.com/ethereum-optimism/optimism/op-core/params"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"

	"github.com/ethereum/go-ethereum/core"
)

// Derivation parameters, in L1 blocks. They are wide, so that a devnet without a batcher can run
// for hours before op-node's sequencing window (which would force empty blocks) ends.
const (
	sequencingWindow  = 3600
	channelTimeout    = 300
	maxSequencerDrift = 1800 // seconds; the constant of Fjord, which rules anyway
)

// L1 fee scalars of the L2, the usual ones of OP Stack chains.
const (
	baseFeeScalar     = 1368
	blobBaseFeeScalar = 810949
)

// chainSpec is everything that defines the two chains of a devnet.
type chainSpec struct {
	l1, l2 *core.Genesis
	rollup *rollup.Config
}

// newChainSpec derives both genesis blocks and the rollup configuration. Times are Unix seconds.
func newChainSpec(keys accounts, l1Time, l2Time, blockTime, gasLimit uint64) (*chainSpec, error) {
	l1 := l1Genesis(keys, l1Time)
	l2, err := l2Genesis(keys, l2Time, gasLimit)
	if err != nil {
		return nil, err
	}
	config := rollupConfig(keys, l1, l2, blockTime)
	if err := config.Check(); err != nil {
		return nil, fmt.Errorf("check the rollup configuration: %w", err)
	}
	return &chainSpec{l1: l1, l2: l2, rollup: config}, nil
}

// rollupConfig ties the L2 to the L1 for op-node.
func rollupConfig(keys accounts, l1, l2 *core.Genesis, blockTime uint64) *rollup.Config {
	var (
		zero    = uint64(0)
		l1Block = l1.ToBlock()
		l2Block = l2.ToBlock()
		canyon  = *l2.Config.Optimism.EIP1559DenominatorCanyon
	)
	return &rollup.Config{
		Genesis: rollup.Genesis{
			L1:     eth.BlockID{Hash: l1Block.Hash(), Number: l1Block.NumberU64()},
			L2:     eth.BlockID{Hash: l2Block.Hash(), Number: l2Block.NumberU64()},
			L2Time: l2.Timestamp,
			SystemConfig: eth.SystemConfig{
				BatcherAddr: keys.batcher.addr,
				Scalar:      eth.EncodeScalar(eth.EcotoneScalars{BaseFeeScalar: baseFeeScalar, BlobBaseFeeScalar: blobBaseFeeScalar}),
				GasLimit:    l2.GasLimit,
			},
		},
		BlockTime:              blockTime,
		MaxSequencerDrift:      maxSequencerDrift,
		SeqWindowSize:          sequencingWindow,
		ChannelTimeoutBedrock:  channelTimeout,
		L1ChainID:              big.NewInt(L1ChainID),
		L2ChainID:              big.NewInt(L2ChainID),
		RegolithTime:           &zero,
		CanyonTime:             &zero,
		DeltaTime:              &zero,
		EcotoneTime:            &zero,
		FjordTime:              &zero,
		GraniteTime:            &zero,
		HoloceneTime:           &zero,
		IsthmusTime:            &zero,
		JovianTime:             &zero,
		BatchInboxAddress:      batchInboxAddr,
		DepositContractAddress: portalAddr,
		L1SystemConfigAddress:  systemConfigAddr,
		ChainOpConfig: &opparams.OptimismConfig{
			EIP1559Elasticity:        l2.Config.Optimism.EIP1559Elasticity,
			EIP1559Denominator:       l2.Config.Optimism.EIP1559Denominator,
			EIP1559DenominatorCanyon: &canyon,
		},
	}
}
