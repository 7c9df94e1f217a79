// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// A processor that is a whole block of 20 ms flashblocks behind takes them one by one: every index is
// executed once and told once, in order, and none waits any more in the end. Taking them together would not
// be faster, as BenchmarkBacklog shows, and subscribers would miss indices.
func TestBacklog(t *testing.T) {
	t.Parallel()
	const backlog = 101
	var (
		gate    = make(chan struct{}) // one flashblock for each receipt
		release = sync.OnceFunc(func() { close(gate) })
	)
	h := newHarness(t, harnessConfig{
		chain: testchain.Config{Fork: testchain.Jovian}, interval: 20 * time.Millisecond,
		before: func(uint64) { <-gate },
	})
	t.Cleanup(release)
	mix, deploy := testchain.NewMix(h.Chain, 1)
	h.Send(deploy...)
	h.Send(mix.Txs(60)...)
	s := h.slot(mix.Deposits()...)
	require.Len(t, s.fbs, backlog)

	sub := h.p.Subscribe()
	h.send(s.fbs...) // all of them fit into the queue
	waiting := func() float64 { return h.p.cfg.Metrics.GetOrCreateGauge("overlay_queue_length", nil).Get() }
	require.Greater(t, waiting(), float64(backlog/2))
	for index := range uint64(backlog) {
		gate <- struct{}{}
		ev := h.next(sub)
		require.True(t, ev.Fresh)
		require.Equal(t, index, ev.Snapshot.Index)
	}
	h.sync()
	h.requirePrefix(h.BlockChain(), h.p.Snapshot(), s, backlog-1)
	require.Zero(t, waiting())
	require.EqualValues(t, backlog, h.steps.Load())
}

// merged is a block's flashblocks as one behind index 0.
func merged(fbs []*flashblocks.Flashblock) []*flashblocks.Flashblock {
	one := *fbs[1]
	one.Diff = fbs[len(fbs)-1].Diff
	one.Diff.Transactions = nil
	for _, fb := range fbs[1:] {
		one.Diff.Transactions = append(one.Diff.Transactions, fb.Diff.Transactions...)
	}
	return []*flashblocks.Flashblock{fbs[0], &one}
}

// BenchmarkBacklog compares catching up with a block of 1,500 transactions flashblock by flashblock, ten and a
// hundred of them, with executing them as if they had been one: what coalescing could gain.
func BenchmarkBacklog(b *testing.B) {
	for _, interval := range []time.Duration{200 * time.Millisecond, 20 * time.Millisecond} {
		b.Run(interval.String(), func(b *testing.B) {
			h, s := newBench(b, 1500, interval)
			run := func(fbs []*flashblocks.Flashblock) time.Duration {
				p := h.newProcessor(h.follower)
				sub := p.Subscribe()
				runtime.GC()
				start := time.Now()
				for _, fb := range fbs {
					require.True(b, p.Deliver(b.Context(), fb, start))
				}
				for last := fbs[len(fbs)-1].Index; ; {
					if _, ok := <-sub.Events(); !ok {
						sub = p.Subscribe() // it was too slow
					}
					if tip := p.Snapshot(); tip != nil && tip.Index == last {
						break
					}
				}
				took := time.Since(start)
				require.NoError(b, p.Stop())
				return took
			}
			one := merged(s.fbs)
			var ratios []float64
			for b.Loop() {
				ratios = append(ratios, float64(run(s.fbs))/float64(run(one)))
			}
			b.ReportMetric(median(ratios), "each/merged")
			b.ReportMetric(0, "ns/op")
		})
	}
}
