// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// Source is the pending state that is watched, an overlay.Processor.
type Source interface {
	// Snapshot returns the newest snapshot, nil if pending is latest.
	Snapshot() *overlay.Snapshot

	// Subscribe delivers every change from now on.
	Subscribe() *overlay.Subscription
}

// Config configures a Monitor.
type Config struct {
	Source  Source
	Syncing func() bool
	Head    func() uint64 // number of the canonical head
	Streams func() int    // streams connected, nil on a node that does not follow
	MaxAge  time.Duration
	Metrics *metrics.Set
}
