// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// errNoEngine explains why flashblocks and a built-in consensus client exclude each other.
var errNoEngine = errors.New("--flashblocks.enabled and --flashblocks.url need a consensus client at the Engine API, so they cannot be combined with --dev or --beacon.api")

// applyFlashblocksFlags completes cfg from the flags and checks it, before anything of the node exists.
func applyFlashblocksFlags(ctx *cli.Context, cfg *params.Flashblocks) error {
	if err := cfg.ApplyFlags(ctx); err != nil {
		return err
	}
	switch {
	case cfg.Enabled:
		warnUnused(ctx, params.BuilderFlags, "Flag has no effect with --"+params.FlashblocksEnabledFlag.Name)
	case cfg.Follows():
		warnUnused(ctx, params.FollowerFlags, "Flag has no effect with --"+params.FlashblocksURLFlag.Name)
	default:
		warnUnused(ctx, nil, "Flag has no effect without --"+params.FlashblocksEnabledFlag.Name+" or --"+params.FlashblocksURLFlag.Name)
		return nil
	}
	if ctx.IsSet(utils.DeveloperFlag.Name) || ctx.IsSet(utils.BeaconApiFlag.Name) {
		return errNoEngine
	}
	return cfg.Check()
}

// warnUnused points out flags that are not among the useful ones. op-rbuilder's builder and the followers of
// others are always on, so their operators may not think of a switch.
func warnUnused(ctx *cli.Context, useful []cli.Flag, message string) {
	for _, flag := range params.FlashblocksFlags {
		name := flag.Names()[0]
		if name != params.FlashblocksEnabledFlag.Name && name != params.FlashblocksURLFlag.Name && !slices.Contains(useful, flag) && ctx.IsSet(name) {
			log.Warn(message, "flag", "--"+name)
		}
	}
}
