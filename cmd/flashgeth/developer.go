// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
)

// registerDeveloper seals blocks in process, from geth's simulated beacon.
func registerDeveloper(ctx *cli.Context, stack *node.Node, ethereum *eth.Ethereum, cfg *config) error {
	beacon, err := catalyst.NewSimulatedBeacon(ctx.Uint64(utils.DeveloperPeriodFlag.Name), cfg.Eth.Miner.PendingFeeRecipient, ethereum)
	if err != nil {
		return fmt.Errorf("create the simulated beacon of dev mode: %w", err)
	}
	catalyst.RegisterSimulatedBeaconAPIs(stack, beacon)
	stack.RegisterLifecycle(beacon)
	for line := range strings.Lines(developerBanner(ctx, cfg)) {
		log.Warn(strings.TrimSuffix(line, "\n"))
	}
	return nil
}

// developerBanner is what a developer has to know about the chain that has just been made up.
func developerBanner(ctx *cli.Context, cfg *config) string {
	var b strings.Builder
	b.WriteString(`Dev mode, for development only:
 - blocks are sealed here, as soon as a transaction is pending or every --dev.period seconds
 - there is no network: no listener, no discovery, no peers
`)
	if ctx.IsSet(utils.DataDirFlag.Name) {
		return b.String()
	}
	account := cfg.Eth.Miner.PendingFeeRecipient
	fmt.Fprintf(&b, " - the chain lives in memory and is gone when the node stops\n - prefunded account: %s (10^49 ETH)\n", account)
	if account == utils.DeveloperAddr {
		fmt.Fprintf(&b, " - its private key, known to everyone: %s\n", hexutil.Encode(crypto.FromECDSA(utils.DeveloperKey)))
	}
	return b.String()
}
