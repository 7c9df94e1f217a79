// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"

	"github.com/ethereum/go-ethereum/flashgeth/internal/fork"
)

// Config configures a Processor. Only Chain is required.
type Config struct {
	Chain    *core.BlockChain
	VMConfig func(*types.Header) vm.Config // EVM configuration by the header's rules, nil for fork.VMConfig's
	Strict   bool                          // Withhold a snapshot whose execution differs from what the stream says

	// StaleAfter is how long pending may stand still, without a new flashblock executed and without a new
	// canonical head, before it falls back to latest. Zero for three block times, but at least 5 s.
	StaleAfter time.Duration

	Metrics *metrics.Set     // Nil for a private set
	Clock   mclock.Clock     // Monotonic clock for StaleAfter, nil for the system's
	Now     func() time.Time // Wall clock, nil for time.Now
}

func (c Config) sanitize() Config {
	if c.VMConfig == nil {
		chain := c.Chain
		c.VMConfig = func(header *types.Header) vm.Config { return fork.VMConfig(chain.Config(), header) }
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	if c.Clock == nil {
		c.Clock = mclock.System{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
