// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/eth"
)

// registerBuilder puts the flashblocks builder, its stream and its Engine API onto the node.
func registerBuilder(stack *node.Node, ethereum *gethEth.Ethereum, cfg *config) error {
	_, err := eth.Register(stack, ethereum, eth.Config{Flashblocks: cfg.Flashblocks, Eth: &cfg.Eth})
	return err
}
