// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/beacon/blsync"
	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// registerEngine connects whoever drives the chain: a simulated beacon in developer mode, the light
// client of --beacon.api, or a consensus client at the Engine API.
func registerEngine(ctx *cli.Context, stack *node.Node, ethereum *eth.Ethereum, cfg *config) error {
	developer, light := ctx.IsSet(utils.DeveloperFlag.Name), ctx.IsSet(utils.BeaconApiFlag.Name)
	if developer || light {
		if err := restart.Forget(stack, ethereum.BlockChain()); err != nil {
			return err
		}
	}
	switch {
	case developer:
		return registerDeveloper(ctx, stack, ethereum, cfg)
	case light:
		return registerLightClient(ctx, stack, ethereum)
	default:
		return registerConsensusClient(ctx, stack, ethereum, cfg)
	}
}

// registerLightClient lets geth's beacon light client follow the L1.
func registerLightClient(ctx *cli.Context, stack *node.Node, ethereum *eth.Ethereum) error {
	server := rpc.NewServer()
	if err := server.RegisterName("engine", catalyst.NewConsensusAPI(ethereum)); err != nil {
		return fmt.Errorf("register the in-process Engine API: %w", err)
	}
	client := blsync.NewClient(utils.MakeBeaconLightConfig(ctx))
	client.SetEngineRPC(rpc.DialInProc(server))
	stack.RegisterLifecycle(client)
	return nil
}
