// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"github.com/ethereum/go-ethereum/eth/ethconfig"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// Config configures Register.
type Config struct {
	params.Flashblocks

	// Eth is the configuration the node's eth service was made with: the builder honours the same miner
	// flags and local accounts as op-geth's own miner, and the pending state is served under the same
	// limits. Nil stands for op-geth's defaults.
	Eth *ethconfig.Config

	// GraphQL serves GraphQL over the pending state. The node must not have a GraphQL service already.
	GraphQL bool
}

// eth returns the eth service's configuration or op-geth's defaults.
func (c *Config) eth() *ethconfig.Config {
	if c.Eth != nil {
		return c.Eth
	}
	return &ethconfig.Defaults
}
