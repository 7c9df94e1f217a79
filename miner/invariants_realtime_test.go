// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// TestInvariantsRealTime does the same on the real clock at intervals of 5 to 20 ms, with everything in
// parallel, so that the race detector sees what the virtual clock serialises.
func TestInvariantsRealTime(t *testing.T) {
	verifyNoLeak(t)
	var (
		seed    = testseed.New(t)
		total   = &tally{cover: make(map[scenario]int)}
		workers = 4
		rounds  = 60
	)
	if raceEnabled || testing.Short() {
		rounds = 30
	}
	begin := time.Now()
	t.Run("workers", func(t *testing.T) {
		for i := range workers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				d := newDriver(t, jovian-fork(i), seed+uint64(i), false, func(c *Config) {
					c.EndBuffer = 2 * time.Millisecond
					c.PublishRoots = i == 1
				})
				for range rounds {
					d.realRound()
				}
				d.restart()
				total.add(d)
			})
		}
	})
	total.tell(t, time.Since(begin))
	require.Greater(t, total.sealed, workers*rounds*8/10)
}

// realActions are what happens beside a real-time round.
var realActions = []action{doGet, doGets, doGetOld, doRepeat, doAgain, doReturn, doReplace, doReorg, doCancel, doHead}

// realRound is one slot in real time, with actions at random instants of it and a little beyond.
func (d *driver) realRound() {
	d.t.Helper()
	var (
		interval  = time.Duration(5+d.rng.IntN(16)) * time.Millisecond
		remaining = time.Duration(d.rng.IntN(90)-5) * time.Millisecond
	)
	d.choose(interval, remaining)
	d.build(d.attributesOn(d.parent))
	for range d.rng.IntN(5) {
		var (
			do = realActions[d.rng.IntN(len(realActions))]
			at = time.NewTimer(time.Duration(d.rng.Int64N(int64(max(remaining, 0) + interval))))
		)
		d.wg.Go(func() {
			<-at.C
			d.act(do)
		})
	}
	over := time.NewTimer(max(remaining, 0) + interval)
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for trading := true; trading; {
		select {
		case <-ticker.C:
			d.trade()
		case <-over.C:
			trading = false
		}
	}
	d.fetch()
}
