// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// Source is the pending state and its changes, an overlay.Processor.
type Source interface {
	// Snapshot returns the newest snapshot, nil if pending is latest.
	Snapshot() *overlay.Snapshot

	// Subscribe delivers every change from now on.
	Subscribe() *overlay.Subscription
}

// Chain is the canonical chain.
type Chain interface {
	Config() *gethparams.ChainConfig

	// GetBlockByNumber returns the canonical block of a number, nil if there is none.
	GetBlockByNumber(number uint64) *types.Block
}

// Config configures a Feed.
type Config struct {
	Source  Source
	Chain   Chain
	Metrics *metrics.Set
}
