// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/eth"
	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// servesFlashblocks reports whether the node builds or follows flashblocks, and so has a pending state of its
// own.
func servesFlashblocks(cfg *config) bool {
	return cfg.Flashblocks.Enabled || cfg.Flashblocks.Follows()
}

// prepareChain brings the chain of a node with flashblocks to where it was before a crash. It comes before the eth
// service is made.
func prepareChain(stack *node.Node, cfg *config) error {
	if servesFlashblocks(cfg) {
		return restart.Prepare(stack, &cfg.Eth)
	}
	return restart.Forget(stack)
}

// registerFlashblocks puts the builder or the follower, the Engine API and the pending state onto the node.
func registerFlashblocks(ctx *cli.Context, stack *node.Node, ethereum *gethEth.Ethereum, cfg *config) error {
	_, err := eth.Register(stack, ethereum, eth.Config{
		Flashblocks: cfg.Flashblocks,
		Eth:         &cfg.Eth,
		GraphQL:     ctx.IsSet(utils.GraphQLEnabledFlag.Name),
	})
	return err
}
