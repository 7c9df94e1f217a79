// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"errors"
	"fmt"
	"math/rand"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// runUntilFailure drives a slot with a few transactions per index until the job gives up or the slot is
// over, and returns the hashes of the pool transactions that were published.
func runUntilFailure(s *slot) {
	s.t.Helper()
	for s.done < s.job.schedule.len() {
		s.idle()
		select {
		case <-s.job.finished:
			return
		default:
		}
		s.clock.Run(max(s.job.schedule.deadlines[s.done].Sub(s.clock.Now()), 0))
		s.done++
		for {
			changed := s.stream.changed() // before the look, so that no message falls in between
			if len(s.stream.flashblocks(s.t, s.id)) > s.done {
				break
			}
			select {
			case <-s.job.finished:
				return
			case <-changed:
			}
		}
	}
}

// changed is closed at the next message.
func (s *memoryStream) changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.notify == nil {
		s.notify = make(chan struct{})
	}
	return s.notify
}

// A panic anywhere in the builder costs no slot: the block holds what was published before, and the next
// payload is built as if nothing had been.
func TestPanic(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewSource(int64(testseed.New(t))))
	const senders = 40
	panics := func(when bool) {
		if when {
			panic("injected")
		}
	}
	type injection struct {
		name string
		arm  func(s *timed)
	}
	list := []injection{
		{"deposits", func(s *timed) { s.builder.hooks.beforeDeposit = func() { panics(true) } }},
		{"seal", func(s *timed) { s.builder.hooks.beforeSeal = func() { panics(true) } }},
	}
	for range 6 {
		nth := 1 + rng.Intn(senders)
		list = append(list, injection{fmt.Sprintf("transaction %d", nth), func(s *timed) {
			count := 0
			s.builder.hooks.beforeTx = func(*types.Transaction) { count++; panics(count == nth) }
		}})
	}
	for k := range uint64(10) {
		list = append(list, injection{fmt.Sprintf("publish %d", k+1), func(s *timed) {
			s.builder.hooks.beforePublish = func(index uint64) { panics(index == k+1) }
		}})
	}
	for k := range uint64(3) {
		list = append(list, injection{fmt.Sprintf("stream %d", k), func(s *timed) {
			s.builder.stream = &brokenStream{Publisher: s.stream, at: k}
		}})
	}
	for _, roots := range []bool{false, true} {
		for _, test := range list {
			t.Run(fmt.Sprintf("%s/roots %v", test.name, roots), func(t *testing.T) {
				t.Parallel()
				s := newTimed(t, harnessConfig{fork: jovian, accounts: senders, gasLimit: 2_400_000, builder: func(c *Config) { c.PublishRoots = roots }})
				test.arm(s)
				for i := range senders {
					s.harness.send(s.transfer(i, 0, uint64(1+i)))
				}
				plain := s.newChain()
				args := s.attributes(s.chain.CurrentBlock())
				slot := s.begin(args)
				runUntilFailure(slot)
				envelope, err := s.builder.GetPayload(slot.id)
				require.NoError(t, err)
				if fbs := s.stream.flashblocks(t, slot.id); len(fbs) > 0 {
					s.requirePublished(slot.id, envelope)
				} else {
					require.Len(t, envelope.ExecutionPayload.Transactions, 1, "the deposit alone")
					require.EqualValues(t, 1, s.builder.metrics.fallbacks.Get())
				}
				again, err := s.builder.GetPayload(slot.id)
				require.NoError(t, err)
				require.Equal(t, envelope, again)
				testchain.Insert(t, plain, s.insert(envelope, args))

				s.builder.hooks, s.builder.stream = hooks{}, s.stream
				for range 2 {
					next := s.begin(s.attributes(s.chain.CurrentBlock()))
					require.NoError(t, err)
					testchain.Insert(t, plain, next.finish())
				}
				db, err := s.chain.State()
				require.NoError(t, err)
				for i := range senders {
					require.EqualValues(t, 1, db.GetNonce(s.addrs[i]), "nothing is lost")
				}
			})
		}
	}
}

// What was executed on a state that could not be read is never published: the EVM takes a value it cannot
// read for zero. The block holds what was published before.
func TestUnreadableState(t *testing.T) {
	t.Parallel()
	const senders = 20
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("deposits %v", first), func(t *testing.T) {
			t.Parallel()
			s := newTimed(t, harnessConfig{fork: jovian, accounts: senders, gasLimit: 2_100_000})
			reads := new(failingReader)
			reads.broken.Store(first)
			s.builder.hooks.reader = func(r state.Reader) state.Reader {
				reads.Reader = r
				return reads
			}
			for i := range senders {
				s.harness.send(s.transfer(i, 0, uint64(1+i)))
			}
			plain := s.newChain()
			args := s.attributes(s.chain.CurrentBlock())
			slot := s.begin(args)
			if !first {
				require.NotEmpty(t, slot.step().Diff.Transactions)
				reads.broken.Store(true)
			}
			runUntilFailure(slot)
			envelope, err := s.builder.GetPayload(slot.id)
			require.NoError(t, err)
			if first {
				require.EqualValues(t, 1, s.builder.metrics.fallbacks.Get(), "built anew")
				require.Empty(t, s.stream.flashblocks(t, slot.id))
			} else {
				require.Len(t, s.stream.flashblocks(t, slot.id), 2)
				s.requirePublished(slot.id, envelope)
			}
			testchain.Insert(t, plain, s.insert(envelope, args))
		})
	}
}

// failingReader reads no account once it is broken.
type failingReader struct {
	state.Reader
	broken atomic.Bool
}

// Account implements state.Reader.
func (r *failingReader) Account(addr common.Address) (*types.StateAccount, error) {
	if r.broken.Load() {
		return nil, errors.New("injected")
	}
	return r.Reader.Account(addr)
}

// brokenStream panics instead of publishing one index, once.
type brokenStream struct {
	Publisher
	at   uint64
	done bool
}

// Publish implements Publisher.
func (b *brokenStream) Publish(m stream.Message) {
	if m.Index == b.at && !b.done {
		b.done = true
		panic("injected")
	}
	b.Publisher.Publish(m)
}

// With 50,000 transactions waiting, every flashblock is full, and the block is op-geth's to import.
func TestLargePool(t *testing.T) {
	t.Parallel()
	const accounts, nonces = 500, 100
	s := newTimed(t, harnessConfig{fork: isthmus, accounts: accounts, gasLimit: 6_000_000})
	for n := range uint64(nonces) {
		batch := make([]*types.Transaction, accounts)
		for i := range batch {
			batch[i] = s.transfer(i, n, 1+uint64(i)%97)
		}
		s.harness.send(batch...)
	}
	pending, _ := s.txpool.Stats()
	require.Equal(t, accounts*nonces, pending)
	plain := s.newChain()
	for range 2 {
		slot := s.begin(s.attributes(s.chain.CurrentBlock()))
		for k := uint64(1); k <= 10; k++ {
			fb := slot.step()
			require.Greater(t, fb.Diff.GasUsed+21_000, k*600_000)
		}
		testchain.Insert(t, plain, slot.finish())
	}
	pending, _ = s.txpool.Stats()
	require.Greater(t, pending, accounts*nonces-600)
}
