// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Built is a flashblock that the builder has published, with what executing it gave. Everything in it is
// shared and must not be modified.
type Built struct {
	Flashblock *flashblocks.Flashblock // as published
	Txs        types.Transactions      // of this flashblock
	Receipts   types.Receipts          // of Txs, block hash zero
	Diff       *StateDiff              // what this flashblock changed; at index 0 also what precedes the first transaction
}

// announce tells the listener of a flashblock that was published. before is the part of the block that
// was published earlier.
func (j *job) announce(fb *assembled, before *prefix) {
	if j.config.OnFlashblock == nil {
		return
	}
	n := len(before.txs)
	j.config.OnFlashblock(Built{
		Flashblock: fb.payload,
		Txs:        fb.prefix.txs[n:],
		Receipts:   fb.prefix.receipts[n:],
		Diff:       fb.diff,
	})
}
