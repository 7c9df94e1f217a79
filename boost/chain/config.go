// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package chain answers the calls that move the chain, engine_forkchoiceUpdated and engine_newPayload: with what the
// local execution layer says, as it says it. The builder is told in the background, and if a block is to be built, both
// sides build and a round begins.
package chain

import (
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/boost/backend"
	"github.com/ethereum/go-ethereum/flashgeth/boost/health"
	"github.com/ethereum/go-ethereum/flashgeth/boost/local"
	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// Queue makes the calls to the builder in order; *backend.Queue is one.
type Queue interface {
	// Enqueue gives an idle queue a call that it makes after Wake.
	Enqueue(job backend.Job)
	Wake()
}

// Observer is told how calls end.
type Observer interface {
	ObserveCall(which health.Which, err error)

	// MayBuild reports whether the builder should be asked for a block.
	MayBuild() bool
}

// Payloads decides about the blocks of the rounds that begin here.
type Payloads interface {
	// Watch has what the builder streams for a round of a local payload id judged while it comes. It does not wait.
	Watch(r *round.Round, id engine.PayloadID)

	// Number is that of a block that was returned lately, false for any other.
	Number(hash common.Hash) (uint64, bool)
}

// Config configures a Handler. Every field is required, unless it says otherwise.
type Config struct {
	Local   *local.Queue
	Builder Queue        // Nil without a builder
	Rounds  *round.Store // Nil without a builder

	AsksBuilder func() bool // Whether the builder takes part at the moment; never without one
	Publishing  func() bool // Whether the mode allows publishing now

	Payloads Payloads
	Observer Observer

	Metrics *metrics.Set
	Log     log.Logger
	Now     func() time.Time
}
