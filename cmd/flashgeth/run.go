// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/eth/downloader"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// freshHead is how old a synced head may be for --exitwhensynced to call the node synced; geth's value.
const freshHead = 10 * time.Minute

// runNode is what flashgeth does without a sub-command: it runs the node until it is told to stop.
func runNode(ctx *cli.Context) error {
	if ctx.Args().Present() {
		return fmt.Errorf("invalid command: %q", ctx.Args().First())
	}
	stack, err := startNode(ctx, false)
	if err != nil {
		return err
	}
	stack.Wait()
	return restart.Closed(stack)
}

// startNode assembles a node and starts it. It closes the node again on SIGINT and SIGTERM, on a
// full disk, and when synced if --exitwhensynced asks for it; in a console SIGINT is the console's.
func startNode(ctx *cli.Context, inConsole bool) (*node.Node, error) {
	stack, cfg, err := makeConfigNode(ctx)
	if err != nil {
		return nil, err
	}
	logNetwork(ctx)
	if err := registerServices(ctx, stack, cfg); err != nil {
		return nil, errors.Join(err, stack.Close())
	}
	stack.RegisterLifecycle(newWalletWatcher(stack))
	if ctx.IsSet(utils.UnlockedAccountFlag.Name) {
		log.Warn("Accounts can no longer be unlocked at start-up, the flag has no effect", "flag", utils.UnlockedAccountFlag.Name)
	}
	utils.StartNode(ctx, stack, inConsole)
	if ctx.Bool(utils.ExitWhenSyncedFlag.Name) {
		go closeWhenSynced(stack)
	}
	return stack, nil
}

// closeWhenSynced closes the node at the first finished sync whose head is fresh. It returns when the
// node closes for any reason, because that closes the event feed.
func closeWhenSynced(stack *node.Node) {
	sub := stack.EventMux().Subscribe(downloader.DoneEvent{})
	defer sub.Unsubscribe()
	for event := range sub.Chan() {
		done, ok := event.Data.(downloader.DoneEvent)
		if !ok {
			continue
		}
		headTime := time.Unix(int64(done.Latest.Time), 0)
		if time.Since(headTime) > freshHead {
			continue
		}
		log.Info("Synchronisation completed", "latestnum", done.Latest.Number, "latesthash", done.Latest.Hash(),
			"age", common.PrettyAge(headTime))
		if err := stack.Close(); err != nil {
			log.Error("Failed to close the node after the sync", "err", err)
		}
		return
	}
}

// logNetwork says which chain the flags ask for.
func logNetwork(ctx *cli.Context) {
	network := "Ethereum mainnet"
	switch {
	case ctx.IsSet(utils.SepoliaFlag.Name):
		network = "Sepolia testnet"
	case ctx.IsSet(utils.HoleskyFlag.Name):
		network = "Holesky testnet"
	case ctx.IsSet(utils.HoodiFlag.Name):
		network = "Hoodi testnet"
	case ctx.IsSet(utils.DeveloperFlag.Name):
		network = "ephemeral dev mode"
	case ctx.IsSet(utils.OPNetworkFlag.Name):
		network = ctx.String(utils.OPNetworkFlag.Name)
	case ctx.IsSet(utils.NetworkIdFlag.Name), ctx.IsSet(configFileFlag.Name):
		network = "a network of its own"
	}
	v := buildVersion()
	log.Info("Starting flashgeth", "network", network, "version", v, "opgeth", v.opGeth)
}
