// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Command build builds op-node, op-batcher and op-conductor for the devnet and the end-to-end tests.
// Run it in the module's directory.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ethereum/go-ethereum/flashgeth/devnet/opstack"
)

func main() {
	cfg := opstack.Config{Progress: os.Stdout}
	flag.StringVar(&cfg.Out, "o", "bin/opstack", "directory of the binaries")
	flag.StringVar(&cfg.Work, "work", "build", "directory of the sources while they are built")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := opstack.Build(ctx, cfg)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "op-stack:", err)
		os.Exit(1)
	}
}
