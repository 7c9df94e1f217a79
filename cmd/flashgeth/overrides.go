// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
)

// forkOverride is a flag that moves a fork, and the field it lands in.
type forkOverride struct {
	flag *cli.Uint64Flag
	dst  **uint64
}

// applyForkOverrides moves the forks that the flags name. The last value wins over the file's.
func applyForkOverrides(ctx *cli.Context, cfg *ethconfig.Config) {
	setForks(ctx, []forkOverride{
		{utils.OverrideOsaka, &cfg.OverrideOsaka},
		{utils.OverrideBPO1, &cfg.OverrideBPO1},
		{utils.OverrideBPO2, &cfg.OverrideBPO2},
		{utils.OverrideVerkle, &cfg.OverrideVerkle},
		{utils.OverrideOptimismCanyon, &cfg.OverrideOptimismCanyon},
		{utils.OverrideOptimismEcotone, &cfg.OverrideOptimismEcotone},
		{utils.OverrideOptimismFjord, &cfg.OverrideOptimismFjord},
		{utils.OverrideOptimismGranite, &cfg.OverrideOptimismGranite},
		{utils.OverrideOptimismHolocene, &cfg.OverrideOptimismHolocene},
		{utils.OverrideOptimismIsthmus, &cfg.OverrideOptimismIsthmus},
		{utils.OverrideOptimismJovian, &cfg.OverrideOptimismJovian},
		{utils.OverrideOptimismKarst, &cfg.OverrideOptimismKarst},
		{utils.OverrideOptimismInterop, &cfg.OverrideOptimismInterop},
	})
}

// initOverrideFlags are the forks that init can move; geth offers the same four.
var initOverrideFlags = []cli.Flag{
	utils.OverrideOsaka, utils.OverrideBPO1, utils.OverrideBPO2, utils.OverrideVerkle,
}

// genesisOverrides moves the forks of a genesis that init writes.
func genesisOverrides(ctx *cli.Context) *core.ChainOverrides {
	over := new(core.ChainOverrides)
	setForks(ctx, []forkOverride{
		{utils.OverrideOsaka, &over.OverrideOsaka},
		{utils.OverrideBPO1, &over.OverrideBPO1},
		{utils.OverrideBPO2, &over.OverrideBPO2},
		{utils.OverrideVerkle, &over.OverrideVerkle},
	})
	return over
}

func setForks(ctx *cli.Context, forks []forkOverride) {
	for _, fork := range forks {
		if ctx.IsSet(fork.flag.Name) {
			at := ctx.Uint64(fork.flag.Name)
			*fork.dst = &at
		}
	}
}
