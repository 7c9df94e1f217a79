// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// validator is op-geth's block validator, except that it refuses a block that no node can compute the child of.
type validator struct {
	core.Validator
	config *gethparams.ChainConfig
}

// NewValidator wraps op-geth's validator. Installed in the blockchain, it keeps out blocks on which no other can
// stand, all of which op-geth dies of. After some of them no base fee can be computed: the rules of the OP Stack
// bound neither the elasticity that a header carries nor what it makes of the base fee, and the transaction pool
// computes the next base fee when such a block becomes the head. The last of all timestamps is what op-geth's cost
// of L1 data (NewL1CostFunc) takes for no block at all.
func NewValidator(stock core.Validator, config *gethparams.ChainConfig) core.Validator {
	return &validator{Validator: stock, config: config}
}

// ValidateBody implements core.Validator.
func (v *validator) ValidateBody(block *types.Block) error {
	if err := v.Validator.ValidateBody(block); err != nil {
		return err
	}
	if block.Time() == math.MaxUint64 {
		return errLastTimestamp
	}
	if _, err := nextBaseFee(v.config, block.Header(), block.Time()+1); err != nil {
		return fmt.Errorf("no block can follow: %w", err)
	}
	return nil
}
