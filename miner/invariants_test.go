// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
	"github.com/ethereum/go-ethereum/flashgeth/params"
)

// verifyNoLeak fails the test if goroutines of the builder are left at its end.
func verifyNoLeak(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		goleak.VerifyNone(t, before,
			goleak.IgnoreAnyFunction("github.com/ethereum/go-ethereum/core.(*txSenderCacher).cache"),
			goleak.IgnoreAnyFunction("github.com/VictoriaMetrics/metrics.summariesSwapCron"))
	})
}

// tally sums up what the drivers of a test did.
type tally struct {
	mu              sync.Mutex
	started, sealed int
	cover           map[scenario]int
}

func (s *tally) add(d *driver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started += d.started
	s.sealed += d.sealed
	for k, n := range d.cover {
		s.cover[k] += n
	}
}

// tell says how much was verified, in a line that tests/internal/gotest is to show of a passed test too.
func (s *tally) tell(t *testing.T, took time.Duration) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(os.Stderr, "==> %s: %d payloads started, %d fetched, verified against what was published, and imported, in %v\n",
		t.Name(), s.started, s.sealed, took.Round(time.Millisecond))
}

// TestInvariants runs the builder in virtual time through thousands of slots in which everything that
// a consensus client may do happens at every moment at which it can. The published flashblocks, the
// answers of getPayload, the notifications and a chain that imports the blocks must agree every time.
//
// It is not parallel with other tests, whose goroutines would count as leaked.
func TestInvariants(t *testing.T) {
	verifyNoLeak(t)
	var (
		seed    = testseed.New(t)
		total   = &tally{cover: make(map[scenario]int)}
		workers = 18
		rounds  = 200
	)
	if raceEnabled || testing.Short() {
		workers, rounds = 9, 60
	}
	begin := time.Now()
	t.Run("workers", func(t *testing.T) {
		for i := range workers {
			f := jovian - fork(i)%(jovian+1)
			t.Run(fmt.Sprintf("%d-%v", i, f), func(t *testing.T) {
				t.Parallel()
				d := newDriver(t, f, seed+uint64(i), true, func(c *Config) {
					c.PublishRoots = i%4 == 1
					c.ReuseExecution = i%5 != 2
					if i%3 == 1 {
						c.Metadata = params.MetadataTrimmed
					}
				})
				for range rounds {
					d.virtualRound()
				}
				d.restart()
				total.add(d)
			})
		}
	})
	total.tell(t, time.Since(begin))
	if t.Failed() {
		return
	}
	require.Greater(t, total.sealed, workers*rounds*5/6)
	if raceEnabled || testing.Short() {
		return
	}
	for _, s := range scenarios {
		require.Positive(t, total.cover[s], "scenario %v never came up", s)
	}
}

// virtualRound is one slot in virtual time.
func (d *driver) virtualRound() {
	d.t.Helper()
	d.draw()
	interval := time.Duration(100+d.rng.IntN(600)) * time.Millisecond
	d.choose(interval, time.Duration(d.rng.IntN(3600)-800)*time.Millisecond)
	d.trade()
	d.build(d.attributesOn(d.parent))
	for d.quiesce() {
		d.hit(atWait)
		d.trade()
		d.virtual.Run(time.Duration(1 + d.rng.Int64N(int64(interval))))
	}
	d.fetch()
}

// fetch ends a round: the consensus client asks for the payload, mostly, and sometimes again, and for
// one it has replaced.
func (d *driver) fetch() {
	d.t.Helper()
	if d.rng.IntN(12) > 0 {
		for range d.rng.IntN(3) {
			d.wg.Go(func() { d.get(d.latest()) })
		}
		d.get(d.latest())
	}
	d.wg.Wait()
	if d.virtual != nil {
		d.drain()
	}
	for range d.rng.IntN(3) {
		p := d.round[d.rng.IntN(len(d.round))]
		d.get(p)
	}
	d.wg.Wait() // fetching may have set off another action
	d.advance()
}

// drain runs jobs that a late action has started to their end.
func (d *driver) drain() {
	d.t.Helper()
	for d.quiesce() {
		d.virtual.Run(d.interval)
	}
	d.wg.Wait()
}
