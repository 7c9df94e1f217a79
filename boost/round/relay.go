// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"context"
	"net"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/log"
)

// RelayConfig configures a Relay. Upstream and Addr are required; every other zero value means its default.
type RelayConfig struct {
	Upstream string // ws:// or wss:// URL of the builder's stream
	Addr     string // TCP address to publish on

	Publishing func() bool // Whether the mode allows publishing now; nil for always

	DialTimeout  time.Duration // Default 5 s
	PingInterval time.Duration // Default 500 ms
	PongTimeout  time.Duration // A builder silent for this long is given up, default 1.5 s
	BackoffMin   time.Duration // First pause before a reconnect, default 10 ms
	BackoffMax   time.Duration // Longest pause, default 5 s

	Limit int // Most subscribers at a time, default the hub's

	Metrics *metrics.Set // Nil for a private set
	Log     log.Logger   // Nil for the root logger
}

// Relay follows the builder's stream, keeps the rounds, and publishes what belongs to the live one.
type Relay struct{ store *Store }

// NewRelay returns a relay that is not running.
func NewRelay(cfg RelayConfig) *Relay { return &Relay{store: NewStore(Config{})} }

// Store holds the rounds. It may be used before Start.
func (r *Relay) Store() *Store { return r.store }

// Start listens for subscribers and begins to connect to the builder, which may be down.
func (r *Relay) Start(ctx context.Context) error { return nil }

// Addr is the address listened on, nil before Start.
func (r *Relay) Addr() net.Addr { return nil }

// Stop leaves the builder, lets subscribers take what is published, and waits for every goroutine.
func (r *Relay) Stop(ctx context.Context) error { return nil }
