// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import "github.com/ethereum/go-ethereum/beacon/engine"

// standing returns the job that attributes of the given id stand for, nil if one has to be begun. It
// assumes that the lock is held.
//
// A consensus client sends attributes again when it has lost the answer, when a block could not be fetched
// or inserted, and when it comes back to a parent it had left. It is given
//
//   - the payload under construction as it is;
//   - a payload without the pool, which is complete and would be the same again;
//   - a payload it has fetched as it was fetched: the block may be on its way to other nodes, so the
//     attributes must not have a second one;
//   - another payload in every other case: one that was abandoned builds no longer, and would seal as the
//     stump it was left at, and one that could not be sealed never will be.
func (b *Builder) standing(asked engine.PayloadID) *job {
	for i := len(b.jobs) - 1; i >= 0; i-- {
		j := b.jobs[i]
		if j.asked == asked && (j == b.live || j.form == exact || j.gate.isFetched()) && !j.result.failed.Load() {
			return j
		}
	}
	return nil
}
