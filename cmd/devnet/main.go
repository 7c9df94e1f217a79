// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Command devnet runs an OP Stack on loopback, with flashgeth as builder, alone or behind flashboost, and
// shows every flashblock.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
	"github.com/ethereum/go-ethereum/flashgeth/internal/cmdline"
)

var defaults = devnet.DefaultConfig

var flags = []cli.Flag{
	&cli.DurationFlag{Name: "block-time", Value: defaults.BlockTime, Usage: "time between two blocks, whole seconds"},
	&cli.DurationFlag{Name: "interval", Value: defaults.Interval, Usage: "time between two flashblocks"},
	&cli.IntFlag{Name: "load", Value: 50, Usage: "transactions per second: transfers, token and contract calls"},
	&cli.DurationFlag{Name: "duration", Usage: "end after this time, 0 for Ctrl-C"},
	&cli.StringFlag{Name: "datadir", Usage: "keep genesis, chain data and logs here (default: a temporary directory)"},
	&cli.BoolFlag{Name: "json", Usage: "print endpoints, then flashblocks, as JSON lines"},
	&cli.BoolFlag{Name: "follower", Value: defaults.Follower, Usage: "run a second flashgeth that follows the stream, with an op-node of its own"},
	&cli.BoolFlag{Name: "proxy", Value: defaults.Proxy, Usage: "run flashproxy behind the stream, between it and the follower"},
	&cli.BoolFlag{Name: "boost", Usage: "run flashboost between op-node and flashgeth, with op-geth's own geth beside it"},
	&cli.BoolFlag{Name: "external-state-root", Usage: "with --boost: geth computes the state roots of flashgeth's blocks"},
	&cli.BoolFlag{Name: "batcher", Value: defaults.Batcher, Usage: "run op-batcher, so that the safe head advances"},
	&cli.Uint64Flag{Name: "gas-limit", Value: defaults.GasLimit, Usage: "gas limit of a block"},
	&cli.StringFlag{Name: "state-scheme", Usage: "how every execution layer keeps its state: path or hash (default: op-geth's own)"},
	&cli.StringFlag{Name: "gcmode", Usage: "whether every execution layer keeps old states: full or archive (default: op-geth's own)"},
	&cli.StringFlag{Name: "node", Value: defaults.NodeBinary, Usage: "path of the flashgeth binary"},
	&cli.StringFlag{Name: "flashproxy", Value: defaults.ProxyBinary, Usage: "path of the flashproxy binary"},
	&cli.StringFlag{Name: "flashboost", Value: defaults.BoostBinary, Usage: "path of the flashboost binary"},
	&cli.StringFlag{Name: "opstack", Value: defaults.OpStackDir, Usage: "directory of op-node, op-batcher and geth"},
}

func main() {
	app := &cli.App{
		Name:            "devnet",
		Usage:           "L1, op-node, flashgeth and flashproxy on loopback, every flashblock on the screen",
		Flags:           append(flags, portFlags()...),
		Action:          run,
		HideHelpCommand: true,
		OnUsageError:    cmdline.UsageError,
		ExitErrHandler:  func(*cli.Context, error) {},
	}
	if err := app.Run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "devnet:", err)
		os.Exit(1)
	}
}

func run(c *cli.Context) error {
	if c.Args().Present() {
		return fmt.Errorf("unexpected argument %q", c.Args().First())
	}
	if c.Bool("external-state-root") && !c.Bool("boost") {
		return errors.New("--external-state-root needs --boost")
	}
	cfg := devnet.RunConfig{
		Config:   defaults,
		Load:     c.Int("load"),
		Duration: c.Duration("duration"),
		JSON:     c.Bool("json"),
		Out:      os.Stdout,
		Err:      os.Stderr,
	}
	cfg.BlockTime, cfg.Interval = c.Duration("block-time"), c.Duration("interval")
	cfg.GasLimit, cfg.Batcher = c.Uint64("gas-limit"), c.Bool("batcher")
	cfg.Follower, cfg.Proxy, cfg.ProxyBinary = c.Bool("follower"), c.Bool("proxy"), c.String("flashproxy")
	cfg.Boost, cfg.External, cfg.BoostBinary = c.Bool("boost"), c.Bool("external-state-root"), c.String("flashboost")
	cfg.DataDir, cfg.NodeBinary, cfg.OpStackDir = c.String("datadir"), c.String("node"), c.String("opstack")
	cfg.StateScheme, cfg.GCMode = c.String("state-scheme"), c.String("gcmode")
	cfg.Ports = chosenPorts(c)
	if isatty.IsTerminal(os.Stdout.Fd()) {
		cfg.TerminalSize = terminalSize
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the devnet at once
	return devnet.Run(ctx, cfg)
}

func terminalSize() (width, height int) {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 80, 24
	}
	return width, height
}
