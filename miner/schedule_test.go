// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/mclock"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

const msec = time.Millisecond

func millis(n int) time.Duration { return time.Duration(n) * msec }

// offsets are the deadlines in milliseconds after the schedule was made.
func (s *schedule) offsets() []int {
	var list []int
	for _, d := range s.deadlines {
		list = append(list, int(d.Sub(s.start)/msec))
	}
	return list
}

// The first six rows are op-rbuilder's cases (builder/timing), but for its slot length, which is given there
// as a number of triggers. Its table is the same where there is no end buffer: it counts the intervals back
// from the slot's end, we from the last deadline, and the number of deadlines is the same in every row.
func TestScheduleTable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                              string
		block, interval, offset, end, rem int
		want                              []int
	}{
		{"op-rbuilder 1", 1000, 200, 0, 0, 880, []int{80, 280, 480, 680, 880}},
		{"op-rbuilder 2", 1000, 200, -20, 50, 800, []int{130, 330, 530, 730}},
		{"op-rbuilder 3", 1000, 200, 0, 0, 300, []int{100, 300}},
		{"op-rbuilder 4", 1000, 200, 0, 200, 200, []int{0}},
		{"op-rbuilder 5", 1000, 200, -30, 50, 400, []int{120, 320}},
		{"op-rbuilder 6", 1000, 200, 0, 0, 1000, []int{200, 400, 600, 800, 1000}},
		{"on time, default buffer", 2000, 200, 0, 100, 2000, []int{100, 300, 500, 700, 900, 1100, 1300, 1500, 1700, 1900}},
		{"past due", 2000, 200, 0, 100, 0, []int{0}},
		{"long past due", 2000, 200, 0, 100, -3_600_000, []int{0}},
		{"far future", 2000, 200, 0, 0, 3_600_000, []int{200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000}},
		{"inside the end buffer", 2000, 200, 0, 100, 60, []int{0}},
		{"positive offset", 1000, 200, 50, 100, 1000, []int{150, 350, 550, 750, 950}},
		{"offset beyond the first", 1000, 200, -90, 0, 850, []int{160, 360, 560, 760}},
		{"offset before the start", 1000, 200, -300, 0, 400, []int{100}},
		{"offset before it all", 1000, 200, -300, 100, 200, []int{0}},
		{"front is dropped beyond the nominal count", 1000, 300, 0, 0, 1000, []int{400, 700, 1000}},
		{"one interval", 1000, 1000, 0, 100, 1000, []int{900}},
		{"1 s at 50 ms, late", 1000, 50, 0, 50, 220, []int{20, 70, 120, 170}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSchedule(77, millis(test.rem), timing{blockTime: millis(test.block), interval: millis(test.interval), endBuffer: millis(test.end), sendOffset: millis(test.offset)})
			require.Equal(t, test.want, s.offsets())
		})
	}
}

// op-rbuilder's progressive_lag_reduces_flashblocks, and Base's dynamic_with_full_block_lag at its end,
// where one user flashblock is tried nevertheless.
func TestScheduleProgressiveLag(t *testing.T) {
	t.Parallel()
	want := []int{6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 2}
	total := 0
	for i, messages := range want {
		lag := time.Duration(i) * 100 * msec
		s := newSchedule(0, time.Second-lag, timing{blockTime: time.Second, interval: 200 * msec, endBuffer: 50 * msec})
		require.Equal(t, messages, s.len()+1, "lag %v", lag)
		if i <= 8 {
			total += messages
		}
		require.EqualValues(t, lag, -s.slotStart)
	}
	require.Equal(t, 38, total)
}

func TestScheduleShortInterval(t *testing.T) {
	t.Parallel()
	s := newSchedule(0, 2*time.Second, timing{blockTime: 2 * time.Second, interval: 20 * msec, endBuffer: 20 * msec})
	require.Equal(t, 99, s.len())
	require.Equal(t, 100, s.nominal)
	for i, due := range s.offsets() {
		require.Equal(t, 20*(i+1), due)
	}
	s = newSchedule(0, 2*time.Second, timing{blockTime: 2 * time.Second, interval: 20 * msec})
	require.Equal(t, 100, s.len())
}

// The cadence is even across blocks: on a chain whose attributes come when the slot begins, every deadline
// is an interval after the one before, whichever block that belongs to. An end buffer that is longer than the
// interval leaves out the deadlines that lie in it, and no more.
func TestScheduleCadence(t *testing.T) {
	t.Parallel()
	for _, block := range []int{1000, 2000} {
		for _, interval := range []int{20, 50, 200, 250, 1000} {
			for _, end := range []int{0, 50, 100} {
				set := timing{blockTime: millis(block), interval: millis(interval), endBuffer: millis(end)}
				border := millis(interval * (end/interval + 1))
				prev := mclock.AbsTime(-set.endBuffer)
				for slot := range 3 {
					s := newSchedule(mclock.AbsTime(millis(slot*block)), set.blockTime, set)
					for i, due := range s.deadlines {
						want := set.interval
						if i == 0 {
							want = border
						}
						require.Equal(t, want, due.Sub(prev), "%+v", set)
						prev = due
					}
				}
			}
		}
	}
}

// Whatever the settings: at least one deadline, never more than nominal nor fewer than fit, none in the past,
// an interval apart, the first within an interval unless the nominal count is reached, and the last one where
// end buffer and offset put it.
func TestScheduleProperties(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	rng := rand.New(rand.NewSource(seed))
	for range 5_000 {
		block := time.Duration(1+rng.Intn(12)) * time.Second
		set := timing{
			blockTime:  block,
			interval:   time.Duration(5+rng.Intn(int(block/msec)-5)) * msec,
			endBuffer:  time.Duration(rng.Intn(int(block/msec))) * msec,
			sendOffset: time.Duration(rng.Intn(400)-200) * msec,
		}
		now := mclock.AbsTime(rng.Int63n(1 << 50))
		remaining := time.Duration(rng.Int63n(int64(3*block))) - block/2
		s := newSchedule(now, remaining, set)
		require.NotZero(t, s.len(), "seed %d %+v", seed, set)
		require.LessOrEqual(t, s.len(), s.nominal, "seed %d %+v", seed, set)
		kept := min(max(remaining, 0), block)
		last := max(max(kept-set.endBuffer, 0)+set.sendOffset, 0)
		require.Equal(t, now.Add(last), s.deadlines[s.len()-1], "seed %d %+v", seed, set)
		fit := int((last + set.interval - 1) / set.interval)
		require.Equal(t, max(min(fit, s.nominal), 1), s.len(), "seed %d %+v", seed, set)
		for i, due := range s.deadlines {
			require.GreaterOrEqual(t, due, now, "seed %d %+v", seed, set)
			if i > 0 {
				require.Equal(t, set.interval, due.Sub(s.deadlines[i-1]), "seed %d %+v", seed, set)
			} else if s.len() < s.nominal {
				require.LessOrEqual(t, due.Sub(now), set.interval, "seed %d %+v", seed, set)
			}
		}
	}
}

func TestScheduleNext(t *testing.T) {
	t.Parallel()
	s := newSchedule(0, time.Second, timing{blockTime: time.Second, interval: 200 * msec}) // 200 … 1000
	at := func(ms int) mclock.AbsTime { return mclock.AbsTime(time.Duration(ms) * msec) }
	for _, test := range []struct {
		name      string
		now, prev int
		want      int
		ok        bool
	}{
		{"first", 0, -1, 0, true},
		{"published at its deadline", 200, 0, 1, true},
		{"at a deadline that was not worked on", 200, -1, 1, true},
		{"missed triggers are coalesced", 650, 0, 3, true},
		{"never backwards", 100, 2, 3, true},
		{"all missed: the last is tried", 5000, 0, 4, true},
		{"none worked on: the last is tried", 5000, -1, 4, true},
		{"used up", 1000, 4, 0, false},
		{"used up early", 0, 4, 0, false},
	} {
		got, ok := s.next(at(test.now), test.prev)
		require.Equal(t, test.ok, ok, test.name)
		require.Equal(t, test.want, got, test.name)
	}
}

// A build that overruns its interval loses the triggers it missed, and publishes no empty flashblock for
// them; the ceiling of the next one makes up for it.
func TestOverrunCoalesces(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	slot.idle()
	s.clock.Run(650 * msec) // deadlines 100, 300 and 500 are missed while the first was built
	s.stream.waitFor(t, slot.id, 2)
	slot.idle()
	s.clock.Run(150 * msec)
	s.stream.waitFor(t, slot.id, 3)
	slot.idle()
	s.clock.Run(10 * time.Second)
	s.stream.waitFor(t, slot.id, 5) // the one that was due, and the last, which is always tried
	<-slot.job.finished
	slot.end()
	require.Len(t, s.stream.flashblocks(t, slot.id), 5)
	require.EqualValues(t, slot.job.schedule.len()-4, s.builder.metrics.missed.Get())
}

// A step of the wall clock after the attributes came moves nothing.
func TestClockStep(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{-time.Second, time.Second, -time.Hour, time.Hour} {
		s := newTimed(t, harnessConfig{fork: jovian})
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		slot.send(s.transfer(0, 0, 5))
		want := slot.job.schedule.offsets()
		s.jump = jump
		for i := range want {
			require.Equal(t, want[i], int(slot.job.schedule.deadlines[i].Sub(slot.job.schedule.start)/msec))
			published := len(s.stream.flashblocks(t, slot.id))
			require.Equal(t, i+1, published, "nothing comes before its deadline")
			slot.step()
		}
		slot.finish()
		s.jump = 0
		next := s.begin(s.attributes(s.chain.CurrentBlock()))
		require.Equal(t, want, next.job.schedule.offsets())
		next.finish()
	}
}

// A machine that stood still makes publishing look slow. That costs the next flashblocks no transactions.
func TestStall(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	s.builder.pace.published(10 * time.Second)
	slot.step()
	included := 0
	for n := range uint64(3) {
		slot.send(s.transfer(0, n, 5))
		included += len(hashes(t, slot.step()))
	}
	included += len(hashes(t, slot.step()))
	require.Equal(t, 3, included)
	slot.finish()
}

// Attributes that come in the last moment before the only deadline still get their transactions: late is
// better than empty.
func TestLastMoment(t *testing.T) {
	t.Parallel()
	for _, lag := range []int{1897, 1899, 1900, 1950, 1999, 2000, 60_000} {
		s := newTimed(t, harnessConfig{fork: jovian})
		s.builder.pace.publish = initialPublish
		s.lag = millis(lag)
		s.harness.send(s.transfer(0, 0, 5))
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		require.Equal(t, 1, slot.job.schedule.len())
		require.Len(t, hashes(t, slot.step()), 1, "lag %v", s.lag)
		slot.finish()
	}
}
