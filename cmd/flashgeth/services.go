// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/eth"
	// The tracers of debug_trace* and --vmtrace register themselves.
	_ "github.com/ethereum/go-ethereum/eth/tracers/js"
	_ "github.com/ethereum/go-ethereum/eth/tracers/live"
	_ "github.com/ethereum/go-ethereum/eth/tracers/native"
	"github.com/ethereum/go-ethereum/internal/telemetry/tracesetup"
	"github.com/ethereum/go-ethereum/metrics"
	"github.com/ethereum/go-ethereum/node"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// registerServices puts onto the node what geth has: the chain, its RPC, the monitors, and whoever
// drives the chain. The order matters, because of two methods of one name the last one answers.
func registerServices(ctx *cli.Context, stack *node.Node, cfg *config) error {
	syncTarget, err := parseSyncTarget(ctx)
	if err != nil {
		return err
	}
	utils.SetupMetrics(&cfg.Metrics)
	if err := tracesetup.SetupTelemetry(cfg.Node.OpenTelemetry, stack); err != nil {
		return fmt.Errorf("set up OpenTelemetry: %w", err)
	}
	if err := restart.Prepare(stack, &cfg.Eth); err != nil {
		return err
	}
	backend, ethereum := utils.RegisterEthService(stack, &cfg.Eth)
	publishInfo(ethereum, cfg)

	filterSystem := utils.RegisterFilterAPI(stack, backend, &cfg.Eth)
	if ctx.IsSet(utils.GraphQLEnabledFlag.Name) && !servesFlashblocks(cfg) { // else over the pending state
		utils.RegisterGraphQLService(stack, backend, filterSystem, &cfg.Node)
	}
	if cfg.Ethstats.URL != "" {
		utils.RegisterEthStatsService(stack, backend, cfg.Ethstats.URL)
	}
	utils.RegisterSyncOverrideService(stack, ethereum, syncTarget, ctx.Bool(utils.ExitWhenSyncedFlag.Name))
	return registerEngine(ctx, stack, ethereum, cfg)
}

// parseSyncTarget reads --synctarget, zero when absent.
func parseSyncTarget(ctx *cli.Context) (common.Hash, error) {
	target := ctx.String(utils.SyncTargetFlag.Name)
	switch {
	case !ctx.IsSet(utils.SyncTargetFlag.Name):
		return common.Hash{}, nil
	case !common.IsHexHash(target):
		return common.Hash{}, fmt.Errorf("sync target hash is not a valid hex hash: %s", target)
	}
	return common.HexToHash(target), nil
}

// publishInfo sets the gauge that says what runs here, under geth's name for existing dashboards.
func publishInfo(ethereum *eth.Ethereum, cfg *config) {
	var protocols []string
	for _, p := range ethereum.Protocols() {
		protocols = append(protocols, fmt.Sprintf("%s/%d", p.Name, p.Version))
	}
	metrics.NewRegisteredGaugeInfo("geth/info", nil).Update(metrics.GaugeInfoValue{
		"arch":      runtime.GOARCH,
		"os":        runtime.GOOS,
		"version":   cfg.Node.Version,
		"protocols": strings.Join(protocols, ","),
	})
}
