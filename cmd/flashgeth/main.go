// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Flashgeth is op-geth that builds flashblocks. It takes every flag and every configuration file that
// op-geth's geth takes to run a node, and behaves as geth does until --flashblocks.enabled is given.
package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"
	"go.uber.org/automaxprocs/maxprocs"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/console/prompt"
	"github.com/ethereum/go-ethereum/internal/debug"
	"github.com/ethereum/go-ethereum/internal/flags"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/internal/cmdline"
)

// envPrefix starts the environment name of every flag. It is geth's, so that an operator's
// environment works unchanged.
const envPrefix = "GETH"

func main() {
	if err := newApp().Run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "Fatal:", err)
		os.Exit(1)
	}
}

// newApp assembles the command line application. It adds environment names to flags that cmd/utils
// shares with everyone, so a process calls it once.
func newApp() *cli.App {
	app := flags.NewApp("op-geth that builds flashblocks")
	app.Name = "flashgeth"
	app.Version = buildVersion().String()
	app.Copyright = "Copyright 2026 The flashgeth Authors, 2013-2026 The go-ethereum Authors"
	app.Action = runNode
	app.Flags = slices.Concat(runFlags(), consoleFlags, debug.Flags)
	app.Commands = []*cli.Command{
		attachCommand(),
		consoleCommand(),
		dumpConfigCommand(),
		initCommand(),
		removeDBCommand(),
		versionCommand(),
		utils.ShowDeprecated,
	}
	app.OnUsageError = cmdline.UsageError
	for _, cmd := range app.Commands {
		cmd.OnUsageError = cmdline.UsageError
	}
	app.Before = before
	app.After = after
	flags.AutoEnvVars(app.Flags, envPrefix)
	return app
}

// before runs ahead of every command: processor quota, flags given before a sub-command, logging
// and profiling.
func before(ctx *cli.Context) error {
	_, quotaErr := maxprocs.Set()
	flags.MigrateGlobalFlags(ctx)
	if err := debug.Setup(ctx); err != nil {
		return err
	}
	if quotaErr != nil {
		log.Warn("Failed to read the container's processor quota", "err", quotaErr)
	}
	flags.CheckEnvVars(ctx, ctx.App.Flags, envPrefix)
	return nil
}

// after flushes profiles and log files and gives the terminal back in its own mode.
func after(*cli.Context) error {
	debug.Exit()
	return prompt.Stdin.Close()
}
