// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common/mclock"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// timed is a harness on a simulated clock: a slot takes no time, and every flashblock comes when the
// test says so.
type timed struct {
	*harness
	clock *mclock.Simulated
	lag   time.Duration // how late in the slot the attributes come
	jump  time.Duration // by how much the wall clock has been stepped
}

func newTimed(t testing.TB, cfg harnessConfig) *timed {
	t.Helper()
	s := &timed{clock: new(mclock.Simulated)}
	custom := cfg.builder
	cfg.builder = func(c *Config) {
		c.Clock = s.clock
		c.Now = func() time.Time {
			return time.Unix(int64(s.chain.CurrentBlock().Time), 0).Add(s.lag + s.jump)
		}
		if custom != nil {
			custom(c)
		}
	}
	s.harness = newHarness(t, cfg)
	// On this clock nothing takes time: a flashblock is started a moment before its deadline, so that
	// announcements never start it early.
	s.builder.pace.nsPerGas, s.builder.pace.publish = 0, 0
	return s
}

// slot is one payload under construction.
type slot struct {
	*timed
	args *gethminer.BuildPayloadArgs
	id   engine.PayloadID
	job  *job
	done int // deadlines that were reached
}

// begin sends attributes and waits until index 0 is out.
func (s *timed) begin(args *gethminer.BuildPayloadArgs) *slot {
	s.t.Helper()
	id, err := s.builder.BuildPayload(args, Options{})
	require.NoError(s.t, err)
	s.builder.mu.Lock()
	j := s.builder.find(id)
	s.builder.mu.Unlock()
	slot := &slot{timed: s, args: args, id: id, job: j}
	<-j.ready
	slot.idle()
	return slot
}

// idle waits until the job waits for its next deadline, or has ended.
func (s *slot) idle() {
	s.t.Helper()
	waits := func() bool {
		select {
		case <-s.job.finished:
			return true
		default:
			return s.clock.ActiveTimers() > 0
		}
	}
	if !waits() {
		require.Eventually(s.t, waits, 30*time.Second, 50*time.Microsecond, "the job's next timer")
	}
}

// step moves the clock to the next deadline and returns the flashblock published there.
func (s *slot) step() *flashblocks.Flashblock {
	s.t.Helper()
	s.idle()
	s.clock.Run(max(s.job.schedule.deadlines[s.done].Sub(s.clock.Now()), 0))
	s.done++
	s.stream.waitFor(s.t, s.id, s.done+1)
	list := s.stream.flashblocks(s.t, s.id)
	return list[s.done]
}

// steps takes the slot to its last deadline.
func (s *slot) steps() {
	s.t.Helper()
	for s.done < s.job.schedule.len() {
		s.step()
	}
}

// send adds transactions to the pool in the middle of a slot.
func (s *slot) send(txs ...*types.Transaction) {
	s.t.Helper()
	for _, err := range s.offer(txs...) {
		require.NoError(s.t, err)
	}
}

// offer adds transactions to the pool in the middle of a slot and waits until the job has heard of
// those that are executable. It returns the pool's errors.
func (s *slot) offer(txs ...*types.Transaction) []error {
	s.t.Helper()
	if s.done < s.job.schedule.len() {
		s.idle()
	}
	errs := s.txpool.Add(txs, true)
	heard := func() bool {
		select {
		case <-s.job.finished:
			return true
		default:
		}
		s.job.inbox.mu.Lock()
		defer s.job.inbox.mu.Unlock()
		for i, tx := range txs {
			if errs[i] != nil || s.txpool.Status(tx.Hash()) != txpool.TxStatusPending {
				continue
			}
			if !slices.ContainsFunc(s.job.inbox.txs, func(have *types.Transaction) bool { return have.Hash() == tx.Hash() }) {
				return false
			}
		}
		return true
	}
	require.Eventually(s.t, heard, 30*time.Second, 200*time.Microsecond, "the pool's announcement")
	return errs
}

// end fetches the payload, checks I1 and waits for the job's end.
func (s *slot) end() *engine.ExecutionPayloadEnvelope {
	s.t.Helper()
	envelope, err := s.builder.GetPayload(s.id)
	require.NoError(s.t, err)
	<-s.job.finished
	s.requirePublished(s.id, envelope)
	return envelope
}

// finish runs the rest of the slot, fetches the payload and imports it.
func (s *slot) finish() *types.Block {
	s.t.Helper()
	s.steps()
	return s.insert(s.end(), s.args)
}

// hashes are the hashes of the pool transactions of a flashblock.
func hashes(t testing.TB, fb *flashblocks.Flashblock) []string {
	t.Helper()
	list := []string{}
	for _, raw := range fb.Diff.Transactions {
		tx := new(types.Transaction)
		require.NoError(t, tx.UnmarshalBinary(raw))
		if !tx.IsDepositTx() {
			list = append(list, tx.Hash().Hex())
		}
	}
	return list
}

// hashesOf are the hashes of transactions, for comparison with those of a flashblock.
func hashesOf(txs ...*types.Transaction) []string {
	list := []string{}
	for _, tx := range txs {
		list = append(list, tx.Hash().Hex())
	}
	return list
}
