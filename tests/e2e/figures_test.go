// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"
)

// endBuffer is the builder's default reserve between the last flashblock and the block's timestamp.
const endBuffer = 100 * time.Millisecond

// figures sums up what was seen of some blocks.
type figures struct {
	blocks, flashblocks, userTxs int
	abandoned                    int           // attempts that were published and not sealed
	perBlock                     int           // median of user flashblocks
	deviation, deviation90       time.Duration // from the planned moment to the arrival, median and 90th percentile
	begin                        time.Duration // median offset of index 0
}

// summarise computes the figures of audited blocks.
func (n *network) summarise(list []audited) figures {
	n.t.Helper()
	require.NotEmpty(n.t, list)
	var (
		f            = figures{blocks: len(list)}
		cfg          = n.Config()
		counts       []int
		begins, late []time.Duration
		due          = deadlines(cfg.BlockTime, cfg.Interval)
		lateness     = func(offset time.Duration) time.Duration {
			i, _ := slices.BinarySearch(due, offset+time.Millisecond)
			if i == 0 {
				return 0 // before the first deadline: a clock of another process, a millisecond at most
			}
			return max(offset-due[i-1], 0)
		}
	)
	for i := range list {
		a := &list[i].attempt
		f.flashblocks += len(a.Flashblocks)
		f.userTxs += list[i].users()
		f.abandoned += len(list[i].abandoned)
		counts = append(counts, a.User())
		begins = append(begins, a.Offset(0, cfg.BlockTime))
		for k := 1; k < len(a.Flashblocks); k++ {
			late = append(late, lateness(a.Offset(k, cfg.BlockTime)))
		}
	}
	f.perBlock, f.begin = quantile(counts, 0.5), quantile(begins, 0.5)
	f.deviation, f.deviation90 = quantile(late, 0.5), quantile(late, 0.9)
	n.t.Logf("%d blocks, %d flashblocks, %d user transactions; median %d user flashblocks per block, index 0 at %v; later than planned: median %v, p90 %v",
		f.blocks, f.flashblocks, f.userTxs, f.perBlock, f.begin.Round(time.Millisecond),
		f.deviation.Round(10*time.Microsecond), f.deviation90.Round(10*time.Microsecond))
	return f
}

// deadlines returns the offsets in a slot at which user flashblocks are due, ascending: the last one an end
// buffer before the slot's end, the others whole intervals before it.
func deadlines(blockTime, interval time.Duration) []time.Duration {
	var due []time.Duration
	for at := blockTime - endBuffer; at > 0; at -= interval {
		due = append(due, at)
	}
	slices.Reverse(due)
	return due
}

// quantile returns the q-quantile of values, the lower one of two.
func quantile[T int | time.Duration](values []T, q float64) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}
