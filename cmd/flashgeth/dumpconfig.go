// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"
)

func dumpConfigCommand() *cli.Command {
	return &cli.Command{
		Name:        "dumpconfig",
		Usage:       "Export configuration values in a TOML format",
		ArgsUsage:   "<dumpfile (optional)>",
		Flags:       runFlags(),
		Description: "Prints the configuration that the other flags result in, ready for --config.",
		Action:      dumpConfig,
	}
}

func dumpConfig(ctx *cli.Context) (err error) {
	stack, cfg, err := makeConfigNode(ctx)
	if err != nil {
		return err
	}
	defer stack.Close()

	var comment string
	if cfg.Eth.Genesis != nil {
		cfg.Eth.Genesis = nil // belongs to the data directory or to the flag of a network
		comment = "# The genesis block is not part of this file.\n\n"
	}
	out, err := tomlSettings.Marshal(cfg)
	if err != nil {
		return fmt.Errorf("encode the configuration: %w", err)
	}
	out = append([]byte(comment), out...)
	if name := ctx.Args().First(); name != "" {
		return os.WriteFile(name, out, 0o600) // may hold secrets of ethstats and InfluxDB
	}
	_, err = ctx.App.Writer.Write(out)
	return err
}
