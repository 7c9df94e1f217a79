// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/console"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/restart"
)

// consoleFlags are the flags of everything that runs JavaScript.
var consoleFlags = []cli.Flag{utils.JSpathFlag, utils.ExecFlag, utils.PreloadJSFlag}

func consoleCommand() *cli.Command {
	return &cli.Command{
		Name:        "console",
		Usage:       "Start a node and an interactive JavaScript environment on it",
		Flags:       slices.Concat(runFlags(), consoleFlags),
		Description: "Runs the node and gives its RPC methods to a JavaScript prompt; the node ends with the prompt.",
		Action:      localConsole,
	}
}

func attachCommand() *cli.Command {
	return &cli.Command{
		Name:        "attach",
		Usage:       "Start an interactive JavaScript environment (connect to node)",
		ArgsUsage:   "[endpoint]",
		Flags:       slices.Concat([]cli.Flag{utils.DataDirFlag, utils.HttpHeaderFlag}, consoleFlags),
		Description: "Connects a JavaScript prompt to a running node: an IPC path, or an http or ws URL; by default geth.ipc of the data directory.",
		Action:      remoteConsole,
	}
}

// localConsole starts a node and runs a console on it.
func localConsole(ctx *cli.Context) (err error) {
	stack, err := startNode(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Close(), restart.Closed(stack)) }()
	return runConsole(ctx, stack.Attach(), stack.Wait)
}

// remoteConsole runs a console on a node that somebody else runs.
func remoteConsole(ctx *cli.Context) error {
	if ctx.NArg() > 1 {
		return errors.New("invalid command-line: too many arguments")
	}
	endpoint := ctx.Args().First()
	if endpoint == "" {
		cfg := defaultNodeConfig()
		utils.SetDataDir(ctx, &cfg)
		endpoint = cfg.IPCEndpoint()
	}
	client, err := utils.DialRPCWithHeaders(endpoint, ctx.StringSlice(utils.HttpHeaderFlag.Name))
	if err != nil {
		return fmt.Errorf("attach to the node: %w", err)
	}
	return runConsole(ctx, client, nil)
}

// runConsole evaluates --exec, or reads statements until the user leaves or until nodeStopped, if
// there is one, returns.
func runConsole(ctx *cli.Context, client *rpc.Client, nodeStopped func()) error {
	js, err := console.New(console.Config{
		DataDir: utils.MakeDataDir(ctx),
		DocRoot: ctx.String(utils.JSpathFlag.Name),
		Client:  client,
		Preload: utils.MakeConsolePreloads(ctx),
	})
	if err != nil {
		client.Close()
		return fmt.Errorf("start the JavaScript console: %w", err)
	}
	if script := ctx.String(utils.ExecFlag.Name); script != "" {
		js.Evaluate(script)
		return js.Stop(false)
	}
	if nodeStopped != nil {
		go func() { // ends with the node, which the caller closes
			nodeStopped()
			js.StopInteractive()
		}()
	}
	js.Welcome()
	js.Interactive()
	return js.Stop(false)
}
