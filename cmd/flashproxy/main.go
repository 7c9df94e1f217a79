// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Command flashproxy serves one or more streams of flashblocks to many subscribers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/flashgeth/internal/cmdline"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// gitCommit and gitDate are stamped into the binary by the Makefile.
var gitCommit, gitDate string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newApp().RunContext(ctx, os.Args)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "flashproxy:", err)
		os.Exit(1)
	}
}

// newApp returns the command line with flags of its own.
func newApp() *cli.App {
	return &cli.App{
		Name:            "flashproxy",
		Usage:           "one stream of flashblocks in, ten thousand out",
		Version:         version(),
		Flags:           params.ProxyFlags(),
		Action:          run,
		Commands:        []*cli.Command{benchCommand()},
		HideHelpCommand: true,
		OnUsageError:    cmdline.UsageError,
		ExitErrHandler:  func(*cli.Context, error) {},
	}
}

// version is the date and the commit of the source, if the binary was built by the Makefile.
func version() string { return cmdline.Version(gitCommit, gitDate) }
