// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// validator is op-geth's block validator, except that it refuses a block whose child no node can compute.
type validator struct {
	core.Validator
	config *gethparams.ChainConfig
}

// NewValidator wraps op-geth's validator. Installed in the blockchain, it keeps out blocks after which no base
// fee can be computed: the rules of the OP Stack bound neither the elasticity that a header carries nor what it
// makes of the base fee, and op-geth's transaction pool, which computes the next base fee when such a block
// becomes the head, ends the process.
func NewValidator(stock core.Validator, config *gethparams.ChainConfig) core.Validator {
	return &validator{Validator: stock, config: config}
}

// ValidateBody implements core.Validator.
func (v *validator) ValidateBody(block *types.Block) error {
	if err := v.Validator.ValidateBody(block); err != nil {
		return err
	}
	if _, err := nextBaseFee(v.config, block.Header(), block.Time()+1); err != nil {
		return fmt.Errorf("no block can follow: %w", err)
	}
	return nil
}
