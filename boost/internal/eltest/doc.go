// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package eltest is what the tests of the sidecar's parts share: execution layers that answer as they are told, the
// block that they build, and an observer that remembers. It is for tests alone.
package eltest

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/log"
)

// Patience is how long a test waits for something that must happen. It decides nothing else.
const Patience = 60 * time.Second

// Main runs the tests of a package and looks for goroutines that they have left behind.
func Main(m *testing.M) {
	log.SetDefault(log.NewLogger(log.DiscardHandler()))
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/VictoriaMetrics/metrics.summariesSwapCron"), // for the life of the process
		goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"),                   // lingers after a refused connection
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}
