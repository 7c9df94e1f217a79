// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"slices"
	"time"
)

// defaultEndBuffer is the builder's reserve before the block's timestamp (--flashblocks.end-buffer-ms).
const defaultEndBuffer = 100 * time.Millisecond

// slotPlan is what the builder of this devnet intends for a slot that starts on time: the offsets at
// which flashblocks are due, measured from the start of the slot, which is one block time before the
// block's timestamp. The last one is the end buffer before the slot's end, the others whole intervals
// before it. Position 0 is the deposits' flashblock, due at once.
type slotPlan struct {
	blockTime time.Duration
	due       []time.Duration // ascending; due[0] is 0
}

// newSlotPlan computes the plan of a slot.
func newSlotPlan(blockTime, interval time.Duration) slotPlan {
	plan := slotPlan{blockTime: blockTime, due: []time.Duration{0}}
	last := max(blockTime-defaultEndBuffer, 0)
	for due := (last-1)%interval + 1; 0 < due && due < last; due += interval {
		plan.due = append(plan.due, due)
	}
	plan.due = append(plan.due, last)
	if nominal := max(int(blockTime/interval), 1); len(plan.due) > nominal+1 {
		plan.due = slices.Delete(plan.due, 1, len(plan.due)-nominal)
	}
	return plan
}

// offset returns how far into the slot of a block with the given timestamp (Unix seconds) t lies.
func (p slotPlan) offset(timestamp uint64, t time.Time) time.Duration {
	return t.Sub(time.Unix(int64(timestamp), 0)) + p.blockTime
}

// position returns which of the planned flashblocks one that came at offset was: the one due nearest
// to it, but later than prev, the position of the flashblock before it.
func (p slotPlan) position(offset time.Duration, prev int) int {
	best := min(prev+1, len(p.due)-1)
	for i := best + 1; i < len(p.due); i++ {
		if (offset - p.due[i]).Abs() < (offset - p.due[best]).Abs() {
			best = i
		}
	}
	return best
}

// ceiling returns the cumulative gas that the builder allows itself up to a position, if the deposits'
// flashblock came at the offset begin: a late start leaves fewer positions with the same total.
func (p slotPlan) ceiling(position int, begin time.Duration, gasLimit uint64) uint64 {
	skipped := 0
	for skipped+1 < len(p.due)-1 && p.due[skipped+1] <= begin {
		skipped++
	}
	left := len(p.due) - 1 - skipped
	step := position - skipped
	if position == 0 || step >= left {
		return gasLimit // deposits have no ceiling of their own
	}
	return gasLimit / uint64(left) * uint64(max(step, 1))
}
