// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"sync/atomic"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// Modes holds the execution mode, which can be changed while the sidecar runs. Its methods are safe for
// concurrent use.
type Modes struct{ mode atomic.Uint32 }

// NewModes returns a holder of a mode.
func NewModes(initial params.ExecutionMode) *Modes {
	m := new(Modes)
	m.mode.Store(uint32(initial))
	return m
}

// Mode returns the mode of this moment.
func (m *Modes) Mode() params.ExecutionMode { return params.ExecutionMode(m.mode.Load()) }

// SetMode changes the mode for every block that begins from now on, and for what is published and copied at
// once. A block in progress keeps what was published of it: outside of mode enabled nothing is added, but the block
// that is returned has it.
func (m *Modes) SetMode(mode params.ExecutionMode) {
	if before := params.ExecutionMode(m.mode.Swap(uint32(mode))); before != mode {
		log.Info("Changed the execution mode", "from", before, "to", mode)
	}
}

// Publishing reports whether flashblocks may be published: only in the mode in which the builder's block is
// returned.
func (m *Modes) Publishing() bool { return m.Mode() == params.ModeEnabled }

// gauge is the mode in rollup-boost's numbers.
func (m *Modes) gauge() float64 {
	switch m.Mode() {
	case params.ModeEnabled:
		return 3
	case params.ModeDryRun:
		return 2
	default:
		return 1
	}
}
