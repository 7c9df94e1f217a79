// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// beginWhole sends attributes of a payload that is not streamed, and does not wait for anything.
func (s *timed) beginWhole(args *gethminer.BuildPayloadArgs, opts Options) *slot {
	s.t.Helper()
	id, err := s.builder.BuildPayload(args, opts)
	require.NoError(s.t, err)
	s.builder.mu.Lock()
	defer s.builder.mu.Unlock()
	return &slot{timed: s, args: args, id: id, job: s.builder.find(id)}
}

// fetchWhole fetches a payload once it has been filled.
func (s *slot) fetchWhole() *engine.ExecutionPayloadEnvelope {
	s.t.Helper()
	<-s.job.ready
	envelope, err := s.builder.GetPayload(s.id)
	require.NoError(s.t, err)
	require.Empty(s.t, s.stream.flashblocks(s.t, s.id))
	return envelope
}

// userTxs counts the transactions of a block that are no deposits.
func (s *slot) userTxs(envelope *engine.ExecutionPayloadEnvelope) (n int) {
	s.t.Helper()
	for _, tx := range s.toBlock(envelope, s.args).Transactions() {
		if !tx.IsDepositTx() {
			n++
		}
	}
	return n
}

// A payload with the pool that is not streamed is op-geth's own block over the same pool.
func TestRefilledLikeStock(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	for f := bedrock; f <= jovian; f++ {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: f, accounts: mixAccounts})
			plain := s.newChain()
			stock := s.stock(100 * msec)
			m, deploy := newMix(s.harness, seed+int64(f))
			m.strangers = true
			s.harness.send(deploy...)
			for n := range 4 {
				args := m.attributes()
				s.txpool.Add(m.txs(40), true)
				payload, err := stock.BuildPayload(t.Context(), args, false)
				require.NoError(t, err)
				payload.WaitFull()
				want := payload.ResolveFull()
				have := s.beginWhole(args, Options{Whole: true}).fetchWhole()
				requireSameEnvelope(t, want, have)
				testchain.Insert(t, plain, s.insert(have, args))
				require.EqualValues(t, n+1, s.builder.metrics.reused.Get())
			}
			requireSameState(t, s.chain, plain)
		})
	}
}

// A builder without a stream builds whole blocks.
func TestWithoutStream(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian})
	builder, err := New(s, Config{Clock: s.clock, Now: s.builder.config.Now}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, builder.Stop()) })
	s.harness.send(s.transfer(0, 0, 5))
	args := s.attributes(s.chain.CurrentBlock())
	id, err := builder.BuildPayload(args, Options{})
	require.NoError(t, err, "before the builder follows the pool, too")
	<-builder.find(id).ready
	require.NoError(t, builder.Start(t.Context()))
	envelope, err := builder.GetPayload(id)
	require.NoError(t, err)
	require.Len(t, envelope.ExecutionPayload.Transactions, 2)
	testchain.Insert(t, s.newChain(), s.toBlock(envelope, args))
}

// The block is filled again after every recommit interval, and a last time so that it is done at the slot's last
// deadline.
func TestRefilledAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		recommit time.Duration
		at       []time.Duration // of the fillings after the first
	}{
		"default":  {0, []time.Duration{1890 * msec}},
		"often":    {600 * msec, []time.Duration{600 * msec, 1200 * msec, 1800 * msec, 1890 * msec}},
		"too rare": {time.Hour, []time.Duration{1890 * msec}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: jovian, builder: func(c *Config) { c.Recommit = tc.recommit }})
			var fillings atomic.Int64
			s.builder.hooks.beforeWhole = func() { fillings.Add(1) }
			slot := s.beginWhole(s.attributes(s.chain.CurrentBlock()), Options{Whole: true})
			<-slot.job.ready
			begun := s.clock.Now()
			for n, at := range tc.at {
				slot.idle()
				require.EqualValues(t, n+1, fillings.Load())
				s.harness.send(s.transfer(n, 0, 5))
				s.clock.Run(begun.Add(at).Sub(s.clock.Now()) - 1)
				require.EqualValues(t, n+1, fillings.Load())
				s.clock.Run(1)
				filled := func() bool {
					best := slot.job.best.Load()
					return best != nil && slot.userTxs(best.envelope) == n+1
				}
				require.Eventually(t, filled, 30*time.Second, 200*time.Microsecond)
			}
			<-slot.job.finished
			envelope := slot.fetchWhole()
			require.EqualValues(t, len(tc.at)+1, fillings.Load())
			testchain.Insert(t, s.newChain(), s.insert(envelope, slot.args))
		})
	}
}

// What pays best counts, whenever it was filled.
func TestRefilledBest(t *testing.T) {
	t.Parallel()
	s := newTimed(t, harnessConfig{fork: jovian, builder: func(c *Config) { c.Recommit = 500 * msec }})
	var fillings atomic.Int64
	s.builder.hooks.beforeWhole = func() { fillings.Add(1) }
	tx := s.transfer(0, 0, 500)
	s.harness.send(tx, s.transfer(1, 0, 5))
	slot := s.beginWhole(s.attributes(s.chain.CurrentBlock()), Options{Whole: true})
	<-slot.job.ready
	slot.idle()
	s.txpool.Get(tx.Hash()).SetRejected()
	s.clock.Run(500 * msec)
	require.Eventually(t, func() bool { return fillings.Load() == 2 }, 30*time.Second, 200*time.Microsecond)
	slot.idle()
	require.Equal(t, 2, slot.userTxs(slot.fetchWhole()))
}

// getPayload in the midst of the first filling takes what is there.
func TestRefilledFetchedEarly(t *testing.T) {
	t.Parallel()
	for _, stuck := range []bool{false, true} {
		s := newTimed(t, harnessConfig{fork: jovian})
		reached, release := make(chan struct{}), make(chan struct{})
		count := 0
		s.builder.hooks.beforeTx = func(*types.Transaction) {
			if count++; count == 3 {
				close(reached)
				<-release
			}
		}
		for i := range 6 {
			s.harness.send(s.transfer(i, 0, 5))
		}
		slot := s.beginWhole(s.attributes(s.chain.CurrentBlock()), Options{Whole: true})
		<-reached
		answers := make(chan *engine.ExecutionPayloadEnvelope, 1)
		go func() {
			envelope, err := s.builder.GetPayload(slot.id)
			if err != nil {
				t.Error(err)
			}
			answers <- envelope
		}()
		require.Eventually(t, func() bool { return s.clock.ActiveTimers() == 1 }, 30*time.Second, 50*time.Microsecond)
		want := 3
		if stuck {
			s.clock.Run(fetchGrace)
			require.Eventually(t, func() bool { return slot.job.filling.Load().interrupted() }, 30*time.Second, 50*time.Microsecond)
			want = 0
		}
		close(release)
		envelope := <-answers
		require.Equal(t, want, slot.userTxs(envelope))
		testchain.Insert(t, s.newChain(), s.insert(envelope, slot.args))
	}
}

// A payload that was superseded is interrupted, and gives its best block, or the attributes' transactions.
func TestRefilledSuperseded(t *testing.T) {
	t.Parallel()
	for _, filled := range []bool{false, true} {
		s := newTimed(t, harnessConfig{fork: jovian})
		s.harness.send(s.transfer(0, 0, 5), s.transfer(1, 0, 5))
		reached, release := make(chan struct{}), make(chan struct{})
		if !filled {
			s.builder.hooks.beforeTx = func(*types.Transaction) {
				close(reached)
				<-release
			}
		}
		first := s.beginWhole(s.attributes(s.chain.CurrentBlock()), Options{Whole: true})
		want := 0
		if filled {
			<-first.job.ready
			want = 2
		} else {
			<-reached
		}
		s.builder.mu.Lock()
		s.builder.hooks = hooks{}
		s.builder.mu.Unlock()
		args := s.attributes(s.chain.CurrentBlock())
		args.Random = common.Hash{0xaa}
		second := s.beginWhole(args, Options{Whole: true})
		close(release)
		<-first.job.finished
		require.Equal(t, want, first.userTxs(first.fetchWhole()))
		require.Equal(t, 2, second.userTxs(second.fetchWhole()))
	}
}

// The node's stop ends the fillings, at whatever moment it comes.
func TestRefilledStopped(t *testing.T) {
	t.Parallel()
	for _, filled := range []bool{false, true} {
		s := newTimed(t, harnessConfig{fork: jovian})
		var fillings atomic.Int64
		reached, release := make(chan struct{}), make(chan struct{})
		s.builder.hooks.beforeWhole = func() { fillings.Add(1) }
		s.builder.hooks.beforeTx = func(*types.Transaction) {
			if !filled {
				close(reached)
				<-release
			}
		}
		s.harness.send(s.transfer(0, 0, 5))
		slot := s.beginWhole(s.attributes(s.chain.CurrentBlock()), Options{Whole: true})
		if filled {
			<-slot.job.ready
		} else {
			<-reached
			time.AfterFunc(time.Millisecond, func() { close(release) })
		}
		require.NoError(t, s.builder.Stop())
		s.clock.Run(time.Minute)
		require.EqualValues(t, 1, fillings.Load())
	}
}

// A filling that fails costs no slot: the attributes' transactions are there, and the next filling may succeed.
func TestRefilledPanics(t *testing.T) {
	t.Parallel()
	for _, recovers := range []bool{false, true} {
		s := newTimed(t, harnessConfig{fork: jovian})
		s.harness.send(s.transfer(0, 0, 5))
		var panics atomic.Bool
		panics.Store(true)
		s.builder.hooks.beforeTx = func(*types.Transaction) {
			if panics.Load() {
				panic("injected")
			}
		}
		slot := s.beginWhole(s.attributes(s.chain.CurrentBlock()), Options{Whole: true})
		<-slot.job.ready
		want := 0
		if recovers {
			panics.Store(false)
			slot.idle()
			s.clock.Run(1890 * msec)
			require.Eventually(t, func() bool { return slot.job.best.Load() != nil }, 30*time.Second, 200*time.Microsecond)
			want = 1
		}
		envelope := slot.fetchWhole()
		require.Equal(t, want, slot.userTxs(envelope))
		testchain.Insert(t, s.newChain(), s.insert(envelope, slot.args))
	}
}

// The limits hold, and what one transaction is too large for is filled by others.
func TestRefilledLimits(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		limit func(*Builder)
		check func(t *testing.T, s *slot, envelope *engine.ExecutionPayloadEnvelope)
	}{
		"da": {
			func(b *Builder) { b.SetMaxDASize(nil, big.NewInt(1_000)) },
			func(t *testing.T, s *slot, envelope *engine.ExecutionPayloadEnvelope) {
				t.Helper()
				da := uint64(0)
				for _, tx := range s.toBlock(envelope, s.args).Transactions() {
					if !tx.IsDepositTx() {
						da += tx.RollupCostData().EstimatedDASize().Uint64()
					}
				}
				require.Equal(t, 8, s.userTxs(envelope), "all but the large one")
				require.LessOrEqual(t, da, uint64(1_000))
			},
		},
		"effective gas ceiling": {
			func(b *Builder) { b.config.EffectiveGasCeil = 120_000 },
			func(t *testing.T, s *slot, envelope *engine.ExecutionPayloadEnvelope) {
				t.Helper()
				require.LessOrEqual(t, envelope.ExecutionPayload.GasUsed, uint64(120_000))
				require.Positive(t, s.userTxs(envelope))
				require.Less(t, s.userTxs(envelope), 8)
			},
		},
		"miner_setGasLimit": {
			func(b *Builder) { b.SetGasLimit(120_000) },
			func(t *testing.T, s *slot, envelope *engine.ExecutionPayloadEnvelope) {
				t.Helper()
				require.LessOrEqual(t, envelope.ExecutionPayload.GasUsed, uint64(120_000))
				require.Positive(t, s.userTxs(envelope))
				require.Less(t, s.userTxs(envelope), 8)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: jovian, accounts: 10})
			tc.limit(s.builder)
			large := crypto.Keccak256(nil)
			for len(large) < 3_000 {
				large = append(large, crypto.Keccak256(large)...) // does not compress
			}
			s.harness.send(s.tx(9, 0, 1_000_000, &s.addrs[0], 200_000, large))
			for i := range 8 {
				s.harness.send(s.transfer(i, 0, 5))
			}
			slot := s.beginWhole(s.attributes(s.chain.CurrentBlock()), Options{Whole: true})
			envelope := slot.fetchWhole()
			tc.check(t, slot, envelope)
			testchain.Insert(t, s.newChain(), s.insert(envelope, slot.args))
		})
	}
}
