// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// Whatever is kept for whom: what is granted at a deadline leaves everybody who was promised a later one what
// they need there, and no deadline before the granted one would do.
func TestRoom(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewSource(int64(testseed.New(t))))
	random := func(most uint64) budget {
		return budget{
			gas: uint64(rng.Int63n(int64(most))), da: uint64(rng.Int63n(int64(most))),
			footprint: uint64(rng.Int63n(int64(most))), size: uint64(rng.Int63n(int64(most))),
		}
	}
	for range 2000 {
		var (
			n        = 1 + rng.Intn(20)
			l        = limits{random(10_000)}
			first    = rng.Intn(n)
			r        = newRoom(&l, first, n)
			used     = random(1000)
			promised = make([]budget, n) // cumulative
		)
		if rng.Intn(3) == 0 {
			l.da = unlimited
			r = newRoom(&l, first, n)
		}
		fits := func(need budget, from int) bool {
			for d := from; d < n; d++ {
				ceiling := l.ceiling(d+1, n)
				sum := budget{
					used.gas + promised[d].gas, used.da + promised[d].da,
					used.footprint + promised[d].footprint, used.size + promised[d].size,
				}
				if !ceiling.fits(sum, need) {
					return false
				}
			}
			return true
		}
		for range 40 {
			need := random(2000)
			from := first + rng.Intn(n-first)
			at, ok := r.find(used, need, from)
			if !ok {
				require.False(t, fits(need, n-1))
				continue
			}
			require.True(t, fits(need, at))
			require.True(t, at == from || !fits(need, at-1))
			if at == first && rng.Intn(2) == 0 {
				used = budget{used.gas + need.gas, used.da + need.da, used.footprint + need.footprint, used.size + need.size}
				continue
			}
			r.keep(at, need, 0)
			for d := at; d < n; d++ {
				promised[d] = budget{
					promised[d].gas + need.gas, promised[d].da + need.da,
					promised[d].footprint + need.footprint, promised[d].size + need.size,
				}
			}
		}
	}
}

// Whoever may ask for more than is expected finds it at the last deadline, and only there.
func TestRoomSlack(t *testing.T) {
	t.Parallel()
	l := limits{budget{gas: 1000, da: unlimited, footprint: unlimited, size: unlimited}}
	r := newRoom(&l, 0, 10)
	r.keep(2, budget{gas: 100}, 50)
	r.keep(4, budget{gas: 100}, 30)
	for gas, want := range map[uint64]int{100: 0, 200: 1, 300: 3, 400: 5, 700: 8, 750: 9} {
		at, ok := r.find(budget{}, budget{gas: gas}, 0)
		require.True(t, ok, gas)
		require.Equal(t, want, at, gas)
	}
	_, ok := r.find(budget{}, budget{gas: 751}, 0)
	require.False(t, ok, "800 less the 50 that the first may ask for")
}

// arrival is a transaction on its way to a simulated builder.
type arrival struct {
	at      time.Duration
	tip     uint64
	gas     uint64
	watched bool
	tx      *txpool.LazyTransaction
}

// arrivals are those of so many slots in the mix that base-builder was measured with, twice as much as fits, and
// small ones that pay the median.
func arrivals(rng *rand.Rand, slots int, slot time.Duration) (list []arrival) {
	for s := range slots {
		at := func() time.Duration {
			return time.Duration(s)*slot + time.Duration(rng.Int63n(int64(slot)))
		}
		for sum := uint64(0); sum < 120_000_000; {
			a := arrival{at: at(), tip: tip(rng), gas: sizes[rng.Intn(len(sizes))]}
			sum += a.gas
			list = append(list, a)
		}
		for range 10 {
			list = append(list, arrival{at: at(), tip: 13_750_000, gas: 40_000, watched: true})
		}
	}
	slices.SortFunc(list, func(a, b arrival) int { return int(a.at - b.at) })
	for i := range list {
		a := &list[i]
		a.tx = &txpool.LazyTransaction{
			Tx: types.NewTx(&types.LegacyTx{}), Time: time.Unix(0, int64(a.at)), Gas: a.gas,
			GasTipCap: uint256.NewInt(a.tip), GasFeeCap: uint256.NewInt(1e9),
		}
	}
	return list
}

// simulated is what a builder does on which executing takes no time.
type simulated struct {
	watched, large []float64 // ms until they are in a flashblock
	fees           float64   // those of the first slots left out
}

// simulate lets it choose with a rule: what is kept for others ("none", "earliest" deadline, "last" deadline), or
// all at the slot's end ("once").
func simulate(list []arrival, slots int, rule string) (res simulated) {
	const (
		slot, interval, buffer = 2 * time.Second, 200 * time.Millisecond, 100 * time.Millisecond
		n, pending             = 10, 150
	)
	var (
		l       = limits{budget{gas: 60_000_000, da: unlimited, footprint: unlimited, size: unlimited}}
		waiting []arrival
	)
	for s := range slots {
		used := budget{gas: 46_000}
		for k := range n {
			due := time.Duration(s)*slot + interval*time.Duration(k+1) - buffer
			if rule == "once" && k < n-1 {
				continue
			}
			for len(list) > 0 && list[0].at <= due {
				waiting, list = append(waiting, list[0]), list[1:]
			}
			c := newCandidates(nil, nil)
			of := make(map[common.Address]arrival)
			for i, a := range waiting {
				addr := common.BigToAddress(big.NewInt(int64(i)))
				of[addr] = a
				c.add(addr, a.tx)
			}
			waiting = waiting[:0]
			r := newRoom(&l, k, n)
			for best := c.peek(); best != nil; best = c.peek() {
				a := of[best.addr]
				need := budget{gas: a.gas}
				at, ok := r.find(used, need, k)
				switch {
				case ok && at == k:
					used.gas += a.gas
					res.take(a, due, s)
				case ok && rule == "earliest":
					r.keep(at, need, 0)
				case ok && rule == "last":
					r.keep(n-1, need, 0)
				}
				if (!ok || at != k) && len(waiting) < pending {
					waiting = append(waiting, a)
				}
				c.shift()
			}
		}
	}
	return res
}

// take takes in a transaction that is in a flashblock of a slot.
func (res *simulated) take(a arrival, due time.Duration, slot int) {
	waited := float64(due-a.at) / 1e6
	switch {
	case a.watched:
		res.watched = append(res.watched, waited)
	case a.gas >= 4_000_000:
		res.large = append(res.large, waited)
	}
	if slot >= 10 {
		res.fees += float64(a.tip) * float64(a.gas)
	}
}

// What is kept for those that pay more makes a small transaction that pays the median wait hardly longer, and earns
// more of what comes in over the slot.
func TestSmallPayersDoNotWait(t *testing.T) {
	t.Parallel()
	const slots = 300
	list := arrivals(rand.New(rand.NewSource(int64(testseed.New(t)))), slots, 2*time.Second)
	once := simulate(list, slots, "once").fees
	results := make(map[string]simulated)
	for _, rule := range []string{"none", "last", "earliest"} {
		res := simulate(list, slots, rule)
		results[rule] = res
		t.Logf("room kept from %s: fees ÷ once at the end %.3f, small ones p50 %.0f ms of %d, large ones p50 %.0f ms of %d",
			rule, res.fees/once, median(res.watched), len(res.watched), median(res.large), len(res.large))
	}
	without, with := results["none"], results["earliest"]
	require.Greater(t, len(with.watched), len(without.watched)*95/100)
	require.LessOrEqual(t, median(with.watched)/median(without.watched), 1.3)
	require.Greater(t, with.fees, results["last"].fees)
	require.Greater(t, with.fees, without.fees*1.1)
}

// BenchmarkSmallPayers measures how much longer a small transaction that pays the median waits for its flashblock
// because room is kept for others.
func BenchmarkSmallPayers(b *testing.B) {
	const slots = 2000
	list := arrivals(rand.New(rand.NewSource(1)), slots, 2*time.Second)
	var without, with simulated
	for b.Loop() {
		without, with = simulate(list, slots, "none"), simulate(list, slots, "earliest")
	}
	b.ReportMetric(median(with.watched)/median(without.watched), "p50/without")
	b.ReportMetric(with.fees/without.fees, "fees/without")
}
