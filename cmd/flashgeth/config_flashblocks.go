// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// errNoEngine explains why flashblocks and a built-in consensus client exclude each other.
var errNoEngine = errors.New("--flashblocks.enabled needs a consensus client at the Engine API, so it cannot be combined with --dev or --beacon.api")

// applyFlashblocksFlags completes cfg from the flags and checks it, before anything of the node exists.
func applyFlashblocksFlags(ctx *cli.Context, cfg *params.Flashblocks) error {
	if err := cfg.ApplyFlags(ctx); err != nil {
		return err
	}
	if !cfg.Enabled {
		warnDisabled(ctx)
		return nil
	}
	if ctx.IsSet(utils.DeveloperFlag.Name) || ctx.IsSet(utils.BeaconApiFlag.Name) {
		return errNoEngine
	}
	return cfg.Check()
}

// warnDisabled points out flags of a builder that is off. op-rbuilder's is always on, so its operators
// may not think of the switch.
func warnDisabled(ctx *cli.Context) {
	for _, flag := range params.FlashblocksFlags {
		name := flag.Names()[0]
		if name != params.FlashblocksEnabledFlag.Name && ctx.IsSet(name) {
			log.Warn("Flag has no effect without --"+params.FlashblocksEnabledFlag.Name, "flag", "--"+name)
		}
	}
}
