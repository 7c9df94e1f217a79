// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package ethtest

import (
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/log"
)

// Main runs the tests of a package that starts nodes. op-geth ends the process when its database fails; why must
// not be lost with everything else it logs.
func Main(m *testing.M) {
	log.SetDefault(log.NewLogger(log.NewTerminalHandlerWithLevel(os.Stderr, log.LevelCrit, false)))
	os.Exit(m.Run())
}
