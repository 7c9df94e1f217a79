// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/internal/flags"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// configFileFlag names the TOML file that loadConfig reads before it applies the other flags.
var configFileFlag = &cli.StringFlag{
	Name:     "config",
	Usage:    "TOML configuration file",
	Category: flags.EthCategory,
}

// runFlags are the flags that shape a running node: those of op-geth's geth and our own.
// TestFlagsCoverGeth keeps the list complete.
func runFlags() []cli.Flag {
	return slices.Concat(nodeFlags(), rpcFlags, metricsFlags, params.FlashblocksFlags)
}

// nodeFlags are the flags of op-geth's node itself, without its RPC servers and metrics.
func nodeFlags() []cli.Flag {
	return slices.Concat(
		[]cli.Flag{configFileFlag}, utils.NetworkFlags, utils.DatabaseFlags,
		accountFlags, overrideFlags, poolFlags, historyFlags, resourceFlags, peerFlags,
		minerFlags, vmFlags, rollupFlags, beaconFlags, legacyLogFlags,
	)
}
