// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"time"

	"github.com/ethereum/go-ethereum/common/mclock"
)

// maxWaste bounds, in intervals, by how much transactions that fail may put off the end of a flashblock's selection.
// Those that pay would otherwise have to wait for the next flashblock, which is due then.
const maxWaste = 1

// tries watch the time of one flashblock's selection. What a transaction takes that fails is work that nobody
// pays for, and must not be at the expense of those who do: the selection ends that much later.
type tries struct {
	clock  mclock.Clock
	stop   mclock.AbsTime // end of the selection if nothing fails
	most   time.Duration  // bound on how much later it may be
	begun  mclock.AbsTime // of the try under way
	wasted time.Duration  // on those that failed
}

func newTries(clock mclock.Clock, stop mclock.AbsTime, most time.Duration) *tries {
	return &tries{clock: clock, stop: stop, most: most, begun: clock.Now()}
}

// over reports whether the selection must end. If not, the next try begins.
func (t *tries) over() bool {
	t.begun = t.clock.Now()
	return t.begun >= t.stop.Add(min(t.wasted, t.most))
}

// tried takes in how the try under way ended.
func (t *tries) tried(success bool) {
	if !success {
		t.wasted += t.clock.Now().Sub(t.begun)
	}
}
