// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
)

// poorReader is a state in which some accounts have nothing, although the pool has seen them rich.
type poorReader struct {
	state.Reader
	poor map[common.Address]bool
}

// Account implements state.Reader.
func (r *poorReader) Account(addr common.Address) (*types.StateAccount, error) {
	acct, err := r.Reader.Account(addr)
	if err != nil || acct == nil || !r.poor[addr] {
		return acct, err
	}
	acct = acct.Copy()
	acct.Balance = new(uint256.Int)
	return acct, nil
}

// failing has so many transactions, of the accounts from the given one on, in the pool that fail in a block.
func (h *harness) failing(first, n int, tip uint64) {
	h.t.Helper()
	var (
		poor = make(map[common.Address]bool)
		txs  []*types.Transaction
	)
	for i := first; i < first+n; i++ {
		poor[h.addrs[i]] = true
		txs = append(txs, h.transfer(i, 0, tip))
	}
	h.send(txs...)
	h.builder.hooks.reader = func(r state.Reader) state.Reader { return &poorReader{r, poor} }
}

// Transactions that fail cost no other its place: the first flashblock goes on for as long as they took, and the
// next block's begins that much earlier.
func TestFailingTransactionsCostNoPlace(t *testing.T) {
	t.Parallel()
	const failing, paying = 1000, 60
	s := newTimed(t, harnessConfig{fork: isthmus, accounts: failing + paying})
	s.failing(paying, failing, 1000)
	var want []*types.Transaction
	for i := range paying {
		want = append(want, s.transfer(i, 0, uint64(900-i)))
	}
	s.harness.send(want...)
	s.builder.hooks.beforeTx = func(*types.Transaction) { s.clock.Run(90 * time.Microsecond) }
	for n := range 2 {
		args := s.attributes(s.chain.CurrentBlock())
		args.Random[0] = byte(n)
		slot := s.begin(args)
		due := slot.job.schedule.deadlines[0]
		require.Equal(t, hashesOf(want...), hashes(t, slot.step()))
		late := s.clock.Now().Sub(due)
		if n == 0 {
			require.Less(t, late, 100*msec)
		} else {
			require.Less(t, late, 10*msec, "the builder has learned how long they take")
		}
		require.EqualValues(t, failing*(n+1), s.builder.metrics.skips[skipInvalid].Get())
		s.builder.NewHead(common.Hash{1})
		<-slot.job.finished
	}
}

// What succeeds has its time, whatever fails meanwhile, but a flashblock is put off by its bound at most.
func TestTriesAreBounded(t *testing.T) {
	t.Parallel()
	for every, want := range map[int]time.Duration{1: 10 * msec, 10: 91 * msec, 1000: 110 * msec} {
		clock := new(mclock.Simulated)
		tries := newTries(clock, mclock.AbsTime(10*msec), 100*msec)
		for n := 0; !tries.over(); n++ {
			clock.Run(msec)
			tries.tried(n%every == 0)
		}
		require.Equal(t, want, time.Duration(clock.Now()), "one of %d succeeds", every)
	}
}

func TestPaceLearnsWaste(t *testing.T) {
	t.Parallel()
	p := new(pace)
	p.wasted(true, 50*msec)
	require.Equal(t, 50*msec, p.lost(true), "at once")
	require.Zero(t, p.lost(false))
	p.wasted(true, 0)
	require.Equal(t, 40*msec, p.lost(true), "and slowly forgets")
}

// What transactions of a size use of their limits decides how much is kept for the next one of that size.
func TestPaceLearnsWhatIsKept(t *testing.T) {
	t.Parallel()
	p := new(pace)
	require.EqualValues(t, 12_000_000, p.expected(12_000_000), "all of it at first")
	p.keptFor(3_000_000, 12_000_000)
	require.EqualValues(t, 2_500_000, p.expected(10_000_000))
	require.EqualValues(t, 100_000, p.expected(100_000), "another size")
	for range 40 {
		p.keptFor(12_000_000, 12_000_000)
	}
	require.Greater(t, p.expected(12_000_000), uint64(11_800_000), "what is long ago is forgotten")
}

// BenchmarkFailing measures in real time which part of a few paying transactions is in the first user flashblock
// when ten thousand that fail are above them in the pool.
func BenchmarkFailing(b *testing.B) {
	const failing, paying = 10_000, 100
	var (
		h      *harness
		offset time.Duration
	)
	h = newHarness(b, harnessConfig{fork: isthmus, accounts: failing + paying, builder: func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(offset) }
	}})
	h.failing(paying, failing, 1000)
	for i := range paying {
		h.send(h.transfer(i, 0, 1))
	}
	var (
		included int
		late     []float64
		salt     byte
	)
	for b.Loop() {
		args := h.attributes(h.chain.CurrentBlock())
		salt++
		args.Random[0] = salt
		offset = time.Until(time.Unix(int64(h.chain.CurrentBlock().Time), 0))
		id, err := h.builder.BuildPayload(args, Options{})
		require.NoError(b, err)
		h.stream.waitFor(b, id, 2)
		j := h.builder.find(id)
		late = append(late, float64(mclock.Now().Sub(j.schedule.deadlines[0]))/1e6)
		included += len(h.stream.flashblocks(b, id)[1].Diff.Transactions)
		h.builder.NewHead(common.Hash{1})
		<-j.finished
		h.stream.reset()
	}
	b.ReportMetric(float64(included)/float64(b.N*paying), "included")
	b.ReportMetric(late[0], "first-late-ms")
	b.ReportMetric(median(late), "late-ms")
}
