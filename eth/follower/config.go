// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"context"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Sink executes flashblocks in the order of the stream. Deliver waits while the sink is busy and
// returns false if ctx ended before.
type Sink interface {
	Deliver(ctx context.Context, fb *flashblocks.Flashblock, arrived time.Time) bool
}

// Config configures a Follower.
type Config struct {
	URLs    []string      // checked
	Timeout time.Duration // a stream that is silent for this long is dialled again
	Sink    Sink
	Metrics *metrics.Set

	// Lost is called when the last connection to any stream is lost, with the last flashblock taken in
	// (zero if none). Nil for nobody.
	Lost func(last flashblocks.FlashblockID)
}
