// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package cmdline is what the programs' command lines have in common.
package cmdline

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ethereum/go-ethereum/log"
)

// UsageError keeps a mistyped flag to one sentence; urfave/cli would print the whole help with it. It is a
// cli.OnUsageErrorFunc.
func UsageError(_ *cli.Context, err error, _ bool) error {
	return fmt.Errorf("%w (see --help)", err)
}

// Version is the date (YYYYMMDD) and the short commit of the source, "unknown" if the binary was not built by
// the Makefile, which stamps both.
func Version(commit, date string) string {
	if date == "" || len(commit) < 8 {
		return "unknown"
	}
	return date + "-" + commit[:8]
}

// LogLevel reads the name of a level. The error is one sentence that names what is possible.
func LogLevel(name string) (slog.Level, error) {
	level := log.LevelTrace // slog does not know it
	if strings.EqualFold(name, "trace") {
		return level, nil
	}
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return level, fmt.Errorf("log level %q is unknown: use trace, debug, info, warn or error", name)
	}
	return level, nil
}

// SetLog makes a logger in the format "json", or in the terminal's for any other, the root logger.
func SetLog(out io.Writer, level slog.Level, format string) {
	if format == "json" {
		log.SetDefault(log.NewLogger(log.JSONHandlerWithLevel(out, level)))
		return
	}
	log.SetDefault(log.NewLogger(log.NewTerminalHandlerWithLevel(out, level, false)))
}
