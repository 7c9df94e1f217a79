// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package published follows a stream of flashblocks from its block in progress on, and sorts what is published into
// attempts at blocks. The devnet's own observer and the tests on a devnet record with it.
package published

import (
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// Config configures a subscriber. Its functions are called one at a time.
type Config struct {
	URL     string // of the stream
	Name    string // of the subscriber, in logs and metrics
	Queue   int    // messages that may wait for Flashblock, 0 for the stream's default
	Repeats bool   // hand on what comes twice

	BackoffMin, BackoffMax time.Duration // between attempts to connect, 0 for the stream's defaults

	Flashblock func(fb *flashblocks.Flashblock, arrived time.Time)
	Garbled    func(d stream.Delivery, err error) // of a message that is no flashblock
	State      func(stream.State)                 // of the connection; nil is allowed
}

// NewSubscriber returns a subscriber that is not connected.
func NewSubscriber(cfg Config) *stream.Subscriber {
	return stream.NewSubscriber(stream.SubscriberConfig{
		URL: cfg.URL + "?from=current", Name: cfg.Name, Queue: cfg.Queue, Repeats: cfg.Repeats,
		BackoffMin: cfg.BackoffMin, BackoffMax: cfg.BackoffMax,
		OnState: cfg.State,
		Handler: func(d stream.Delivery) {
			fb, _, err := flashblocks.Decode(d.JSON, flashblocks.Limits{})
			if err != nil {
				cfg.Garbled(d, err)
				return
			}
			cfg.Flashblock(fb, d.Arrived)
		},
	})
}
