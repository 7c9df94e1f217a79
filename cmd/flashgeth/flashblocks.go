// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	gethEth "github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/eth"
)

// servesFlashblocks reports whether the node builds or follows flashblocks, and so has a pending state of its
// own.
func servesFlashblocks(cfg *config) bool {
	return cfg.Flashblocks.Enabled || cfg.Flashblocks.Follows()
}

// registerConsensusClient puts the Engine API with the builder onto the node and, if it serves flashblocks, their
// stream or their follower and the pending state.
func registerConsensusClient(ctx *cli.Context, stack *node.Node, ethereum *gethEth.Ethereum, cfg *config) error {
	_, err := eth.Register(stack, ethereum, eth.Config{
		Flashblocks: cfg.Flashblocks,
		Eth:         &cfg.Eth,
		GraphQL:     ctx.IsSet(utils.GraphQLEnabledFlag.Name),
	})
	return err
}
