// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

// The hash scheme without its archive keeps states in memory for an hour of execution. Every so often one is brought to the
// disk, so that no more than this is executed again: ten full blocks of 60 million gas, or many small ones.
const (
	checkpointGas    = 600_000_000
	checkpointBlocks = 256
)

// checkpoints bring a state to the disk when enough was executed since the last one. op-geth allows that at any time; what is on
// the disk leaves the memory. The import of blocks does not wait for it.
type checkpoints struct {
	commit func(root common.Hash, report bool) error

	last        common.Hash
	blocks, gas uint64 // since a state was brought to the disk, or begun to be
	due         chan *types.Header
}

func newCheckpoints(commit func(common.Hash, bool) error) *checkpoints {
	return &checkpoints{commit: commit, due: make(chan *types.Header, 1)}
}

// head takes note of a head.
func (c *checkpoints) head(header *types.Header) {
	if header.Hash() == c.last {
		return
	}
	c.last = header.Hash()
	c.blocks++
	c.gas += header.GasUsed
	if c.blocks < checkpointBlocks && c.gas < checkpointGas {
		return
	}
	select {
	case c.due <- header:
		c.blocks, c.gas = 0, 0
	default: // the disk is slow; the next head tries again
	}
}

// run brings what is due to the disk.
func (c *checkpoints) run(ctx context.Context) {
	for {
		select {
		case header := <-c.due:
			if err := c.commit(header.Root, false); err != nil {
				log.Warn("Cannot bring a state to the disk: more has to be executed after a crash", "number", header.Number, "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
