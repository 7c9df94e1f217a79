// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"time"

	"github.com/ethereum/go-ethereum/common/mclock"
)

// schedule holds the moments at which a slot's flashblocks are due. They are computed once, from the
// wall clock, and kept on the monotonic clock: a step of the wall clock moves nothing.
type schedule struct {
	start     mclock.AbsTime   // when the schedule was made
	slotStart mclock.AbsTime   // nominal start of the slot, blockTime before the block's timestamp
	interval  time.Duration    // nominal time between two deadlines
	deadlines []mclock.AbsTime // ascending, at least one
	nominal   int              // deadlines of a slot that starts on time
	extra     int              // deadlines that were added
}

// timing are the settings a schedule is computed from.
type timing struct {
	blockTime  time.Duration
	interval   time.Duration
	endBuffer  time.Duration
	sendOffset time.Duration
}

// newSchedule plans the flashblocks of a slot that ends remaining after now. The last deadline is endBuffer
// before the slot's end, the others whole intervals before it, so that the cadence is the same across two
// blocks as it is within one (docs/decisions/0005). A late start shortens the first interval or drops
// deadlines from the front. A slot that is already over has one deadline, due at once.
func newSchedule(now mclock.AbsTime, remaining time.Duration, t timing) schedule {
	remaining = min(max(remaining, 0), t.blockTime)
	s := schedule{
		start:     now,
		slotStart: now.Add(remaining - t.blockTime),
		interval:  t.interval,
		nominal:   max(int(t.blockTime/t.interval), 1),
	}
	last := max(max(remaining-t.endBuffer, 0)+t.sendOffset, 0)
	for due := firstDeadline(last, t.interval); due < last; due += t.interval {
		s.deadlines = append(s.deadlines, now.Add(due))
	}
	s.deadlines = append(s.deadlines, now.Add(last))
	if excess := len(s.deadlines) - s.nominal; excess > 0 {
		s.deadlines = s.deadlines[excess:]
	}
	return s
}

// firstDeadline is the earliest time after zero that lies whole intervals before last, and zero if last is.
func firstDeadline(last, interval time.Duration) time.Duration {
	if last <= 0 {
		return 0
	}
	return (last-1)%interval + 1
}

// extend adds a deadline that is due at once, for what the last one had no time for. It returns false once
// there are as many of them as the slot has deadlines nominally.
func (s *schedule) extend(now mclock.AbsTime) (deadline int, ok bool) {
	if s.extra == s.nominal {
		return 0, false
	}
	s.extra++
	s.deadlines = append(s.deadlines, now)
	return len(s.deadlines) - 1, true
}

// most is how many user flashblocks there can be.
func (s *schedule) most() int { return len(s.deadlines) + s.nominal - s.extra }

// len is the number of user flashblocks planned.
func (s *schedule) len() int { return len(s.deadlines) }

// next picks the deadline to work towards at now, after prev (-1 at first). Deadlines that have passed
// are skipped, except that the last one is always tried. It returns false when none is left.
func (s *schedule) next(now mclock.AbsTime, prev int) (int, bool) {
	for i := prev + 1; i < len(s.deadlines); i++ {
		if s.deadlines[i] > now || i == len(s.deadlines)-1 {
			return i, true
		}
	}
	return 0, false
}
