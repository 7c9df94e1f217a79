// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/ethereum/go-ethereum/log"
)

// logCapture sends the log of this process to a file while a devnet runs: on a terminal it would
// tear the view, and the L1's lines belong beside the logs of the other parts.
type logCapture struct {
	file     *os.File
	previous log.Logger
}

// captureLogs redirects the root logger to path.
func captureLogs(path string) (*logCapture, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // in the devnet's own directory
	if err != nil {
		return nil, fmt.Errorf("create the devnet's log: %w", err)
	}
	capture := &logCapture{file: file, previous: log.Root()}
	log.SetDefault(log.NewLogger(log.NewTerminalHandlerWithLevel(file, slog.LevelInfo, false)))
	return capture, nil
}

// close gives the previous logger back.
func (c *logCapture) close() error {
	log.SetDefault(c.previous)
	return c.file.Close()
}
