// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// Config configures a Store. Every zero value means its default.
type Config struct {
	Publish    func(stream.Message) // Takes what is published, must not block; nil for nobody
	Publishing func() bool          // Whether the mode allows publishing now; nil for always
	Gap        func()               // Called, at most once per payload id, when flashblocks are missing; nil for nobody

	Keep       int // Rounds kept, default 8
	MaxEarly   int // Payload ids whose flashblocks are kept before a round has them, default 16
	EarlyBytes int // Bytes of those, default 64 MiB
	RoundBytes int // Bytes of one block's flashblocks, default 64 MiB

	Metrics *metrics.Set // Nil for a private set
	Log     log.Logger   // Nil for the root logger
	Now     func() time.Time
}

// Store holds the rounds and what came of the builder's stream.
type Store struct{ cfg Config }

// NewStore returns a store without rounds.
func NewStore(cfg Config) *Store { return &Store{cfg: cfg} }

// Begin makes the round of a build that goes to both sides. It lives once its local id is bound.
func (s *Store) Begin(req *Request) *Round { return &Round{req: req} }

// Add takes a flashblock from the builder.
func (s *Store) Add(d stream.Delivery) {}

// Lookup returns the round of a local payload id, nil if there is none.
func (s *Store) Lookup(local engine.PayloadID) *Round { return nil }
