// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// getPayload in the midst of a flashblock gets what is executed of it, published before it is sealed.
func TestGetPayloadCollects(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	var txs []*types.Transaction
	for i := range 6 {
		txs = append(txs, s.transfer(i, 0, uint64(100-i)))
	}
	s.harness.send(txs...)
	var (
		slot     *slot
		fetched  = make(chan *engine.ExecutionPayloadEnvelope, 1)
		executed = 0
	)
	s.builder.hooks.beforeTx = func(*types.Transaction) {
		if executed++; executed != 4 {
			return
		}
		go func() {
			envelope, err := s.builder.GetPayload(slot.id)
			if err != nil {
				t.Error(err)
			}
			fetched <- envelope
		}()
		<-slot.job.gate.called
	}
	slot = s.begin(s.attributes(s.chain.CurrentBlock()))
	slot.idle()
	s.clock.Run(100 * msec)
	envelope := <-fetched
	s.requirePublished(slot.id, envelope)
	block := s.insert(envelope, slot.args)
	require.Len(t, block.Transactions(), 1+4, "the one that was being executed is the last")
	require.Zero(t, s.builder.metrics.suppressed.Get())
	testchain.Insert(t, s.newChain(), block)
}

// A flashblock that is ready before its deadline is published when the payload is asked for. One without
// transactions is not.
func TestGetPayloadBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	for _, empty := range []bool{false, true} {
		s := newTimed(t, harnessConfig{fork: jovian})
		want := 2
		if empty {
			want = 1
		} else {
			s.harness.send(s.transfer(0, 0, 5))
		}
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		slot.idle()
		s.clock.Run(slot.job.schedule.deadlines[0].Sub(s.clock.Now()) - slot.job.pace.cost(0, slot.job.schedule.interval))
		built := func() bool {
			slot.job.gate.mu.Lock()
			defer slot.job.gate.mu.Unlock()
			return slot.job.gate.flight != nil && s.clock.ActiveTimers() > 0
		}
		require.Eventually(t, built, 30*time.Second, 100*time.Microsecond)
		block := s.insert(slot.end(), slot.args)
		require.Len(t, block.Transactions(), want)
		require.Len(t, s.stream.flashblocks(t, slot.id), want)
	}
}

// A slot that is too short for its block goes on until the payload is asked for.
func TestOvertime(t *testing.T) {
	t.Parallel()
	const accounts = 400
	s := newTimed(t, harnessConfig{fork: isthmus, accounts: accounts})
	s.lag = 1850 * msec
	for i := range accounts {
		s.harness.send(s.transfer(i, 0, uint64(1+i)))
	}
	s.builder.hooks.beforeTx = func(*types.Transaction) { s.clock.Run(msec) }
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	require.Equal(t, 1, slot.job.schedule.nominal-9)
	slot.idle()
	s.clock.Run(50 * msec)
	<-slot.job.finished
	block := s.insert(slot.end(), slot.args)
	require.Len(t, block.Transactions(), 1+accounts)
	fbs := s.stream.flashblocks(t, slot.id)
	require.Greater(t, len(fbs), 5)
	for _, fb := range fbs[2:] {
		require.LessOrEqual(t, len(fb.Diff.Transactions), 51, "each takes a part of an interval")
	}
	testchain.Insert(t, s.newChain(), block)
}

// A block that its slot had time for is not gone on with, whatever comes.
func TestNoOvertime(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: isthmus})
	s.harness.send(s.transfer(0, 0, 5))
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	slot.steps()
	<-slot.job.finished
	s.harness.send(s.transfer(1, 0, 5))
	block := s.insert(slot.end(), slot.args)
	require.Len(t, block.Transactions(), 1+1)
	require.Len(t, s.stream.flashblocks(t, slot.id), 11)
}

// BenchmarkLateSlot compares the gas of blocks whose payload is asked for so many milliseconds after its
// attributes came, 50 ms before the block's time, with what op-geth's miner has in the same time.
func BenchmarkLateSlot(b *testing.B) {
	const (
		pending = 8000
		before  = 50 * msec // the block's time
	)
	for _, left := range []int{450, 100, 30, 20, 10} {
		b.Run(fmt.Sprintf("%dms", left), func(b *testing.B) {
			var (
				h    *harness
				late time.Duration
			)
			h = newHarness(b, harnessConfig{fork: isthmus, accounts: pending, gasLimit: 60_000_000, builder: func(c *Config) {
				c.Now = func() time.Time { return time.Unix(int64(h.chain.CurrentBlock().Time), 0).Add(late) }
			}})
			stock := h.stock(time.Hour)
			txs := make([]*types.Transaction, pending)
			for i := range txs {
				txs[i] = h.transfer(i, 0, uint64(1000+i))
			}
			h.send(txs...)
			late = 2*time.Second - millis(left) - before
			var ours, geth uint64
			var salt uint64
			for b.Loop() {
				for _, mine := range []bool{salt%4 == 0, salt%4 != 0} {
					salt++
					args := *h.attributes(h.chain.CurrentBlock())
					args.Random[0], args.Random[1], args.Random[2] = byte(salt), byte(salt>>8), 1
					runtime.GC()
					var envelope *engine.ExecutionPayloadEnvelope
					if mine {
						id, err := h.builder.BuildPayload(&args, Options{})
						require.NoError(b, err)
						<-time.After(millis(left))
						envelope, err = h.builder.GetPayload(id)
						require.NoError(b, err)
						ours += envelope.ExecutionPayload.GasUsed
						continue
					}
					payload, err := stock.BuildPayload(b.Context(), &args, false)
					require.NoError(b, err)
					<-time.After(millis(left))
					geth += payload.Resolve().ExecutionPayload.GasUsed
				}
				h.stream.reset()
			}
			b.ReportMetric(float64(ours)/float64(geth), "gas/op-geth")
			b.ReportMetric(float64(ours)/float64(b.N)/1e6, "Mgas")
		})
	}
}
