// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Command flashboost stands between op-node and two execution layers: the operator's own and an external
// builder. It takes rollup-boost's place with rollup-boost's flags, ports and metrics.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/joho/godotenv"
	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/flashgeth/internal/cmdline"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// gitCommit and gitDate are stamped into the binary by the Makefile.
var gitCommit, gitDate string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := loadEnv()
	if err == nil {
		err = newApp().RunContext(ctx, os.Args)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "flashboost:", err)
		os.Exit(1)
	}
}

// loadEnv reads .env in the working directory, if there is one. What the environment has wins.
func loadEnv() error {
	if err := godotenv.Load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the file .env cannot be used: %w", err)
	}
	return nil
}

// newApp returns the command line with flags of its own.
func newApp() *cli.App {
	return &cli.App{
		Name:            "flashboost",
		Usage:           "an external builder beside your own execution layer, without the risk of a missed block",
		UsageText:       "flashboost --l2-url http://geth:8551 --l2-jwt-path jwt.hex [--builder-url http://builder:8551 --builder-jwt-path builder.hex --flashblocks]",
		Description:     "Every flag can be given in the environment, and in a file .env in the working directory.",
		Version:         version(),
		Flags:           params.BoostFlags(),
		Action:          run,
		HideHelpCommand: true,
		OnUsageError:    cmdline.UsageError,
		ExitErrHandler:  func(*cli.Context, error) {},
	}
}

// version is the date and the commit of the source, if the binary was built by the Makefile.
func version() string { return cmdline.Version(gitCommit, gitDate) }
