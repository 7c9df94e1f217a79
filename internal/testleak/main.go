// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package testleak runs the tests of a package quietly and fails them if a goroutine is left behind. It is for
// tests only.
package testleak

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/log"
)

// Main is the TestMain of a package whose tests open connections. It ends the process.
func Main(m *testing.M) {
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	// net/http lingers for half a second after a connection it has refused.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
