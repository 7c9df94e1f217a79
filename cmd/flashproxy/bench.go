// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/flashgeth/internal/cmdline"
	"github.com/ethereum/go-ethereum/flashgeth/proxy/load"
)

// benchCommand loads any server of flashblocks.
func benchCommand() *cli.Command {
	return &cli.Command{
		Name:      "bench",
		Usage:     "load any flashblocks websocket with subscribers and report what they saw",
		ArgsUsage: "[ws:// URL]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "stream to load, ws:// or wss://"},
			&cli.IntFlag{Name: "connections", Aliases: []string{"n"}, Value: 100, Usage: "subscribers"},
			&cli.DurationFlag{Name: "duration", Aliases: []string{"d"}, Value: 30 * time.Second, Usage: "time to count for"},
			&cli.IntFlag{Name: "dialers", Value: 64, Usage: "most handshakes at a time"},
			&cli.IntFlag{Name: "pid", Usage: "process of the server, to report its memory per connection and CPU (Linux)"},
			&cli.BoolFlag{Name: "deflate", Usage: "ask for permessage-deflate"},
			&cli.StringSliceFlag{Name: "header", Usage: "header of the upgrade, as Name: value; may be repeated"},
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object"},
		},
		Action:       bench,
		OnUsageError: cmdline.UsageError,
	}
}

func bench(c *cli.Context) error {
	if extra := c.Args().Get(1); extra != "" {
		return fmt.Errorf("unexpected argument %q: the URL comes last, behind the flags", extra)
	}
	cfg := load.Config{
		URL:         c.String("url"),
		Connections: c.Int("connections"),
		Duration:    c.Duration("duration"),
		Dialers:     c.Int("dialers"),
		Deflate:     c.Bool("deflate"),
		PID:         c.Int("pid"),
		Header:      make(http.Header),
	}
	if cfg.URL == "" {
		cfg.URL = c.Args().First()
	}
	for _, header := range c.StringSlice("header") {
		name, value, ok := strings.Cut(header, ":")
		if !ok {
			return fmt.Errorf("header %q is not Name: value", header)
		}
		cfg.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if err := load.RaiseFileLimit(cfg.Connections); err != nil {
		return err
	}
	if cfg.PID != 0 {
		if _, err := load.Measure(cfg.PID); err != nil {
			return fmt.Errorf("process %d cannot be watched: %w", cfg.PID, err)
		}
	}
	report, err := load.Run(c.Context, cfg)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(report)
	}
	return report.Write(c.App.Writer)
}
