// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/log"
)

// op-geth ends the process when its database fails; why must not be lost with everything else it logs.
func TestMain(m *testing.M) {
	log.SetDefault(log.NewLogger(log.NewTerminalHandlerWithLevel(os.Stderr, log.LevelCrit, false)))
	os.Exit(m.Run())
}

// startMark remembers that a node was started.
type startMark struct{ started bool }

// Start implements node.Lifecycle.
func (m *startMark) Start() error {
	m.started = true
	return nil
}

// Stop implements node.Lifecycle.
func (*startMark) Stop() error { return nil }
