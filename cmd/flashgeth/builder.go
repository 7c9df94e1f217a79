// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/node"
)

// registerBuilder puts the flashblocks builder and its Engine API onto the node.
func registerBuilder(stack *node.Node, ethereum *eth.Ethereum, _ *config) error {
	return catalyst.Register(stack, ethereum)
}
