// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// attempt is everything published under one payload id.
type attempt struct {
	id       engine.PayloadID
	number   uint64
	blocks   []*flashblocks.Flashblock // in the order of their arrival
	arrivals []time.Time
	restarts int // how often index 0 came again
}

// user returns the number of flashblocks behind index 0.
func (a *attempt) user() int { return len(a.blocks) - 1 }

// offset returns how far into its slot a flashblock arrived.
func (a *attempt) offset(i int, blockTime time.Duration) time.Duration {
	return a.arrivals[i].Sub(time.Unix(int64(a.blocks[0].Base.Timestamp), 0)) + blockTime
}

// recorder keeps everything a v1 stream publishes. It judges nothing: the audit does.
type recorder struct {
	t *testing.T

	mu       sync.Mutex
	attempts map[uint64][]*attempt // by block number, in the order of their index 0
	states   []bool                // connected or not, as it changed
	watchers harness.Watchers
}

// record follows a stream until the end of the test.
func record(t *testing.T, url string) *recorder {
	t.Helper()
	r := &recorder{t: t, attempts: make(map[uint64][]*attempt)}
	sub := stream.NewSubscriber(stream.SubscriberConfig{
		URL:        url + "?from=current",
		Name:       "recorder",
		Handler:    r.deliver,
		OnState:    r.state,
		Queue:      4096,
		BackoffMin: 20 * time.Millisecond, // a restarted node must be found before its first block
		BackoffMax: 50 * time.Millisecond,
	})
	require.NoError(t, sub.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := sub.Stop(ctx); err != nil {
			t.Errorf("stop the recorder: %v", err)
		}
	})
	harness.Eventually(t, "the recorder is connected", r.connected)
	return r
}

// deliver takes one message of the stream.
func (r *recorder) deliver(d stream.Delivery) {
	fb, _, err := flashblocks.Decode(d.JSON, flashblocks.Limits{})
	if err != nil {
		r.t.Errorf("flashblock %d/%d cannot be decoded: %v", d.BlockNumber, d.Index, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.attempt(fb)
	a.blocks = append(a.blocks, fb)
	a.arrivals = append(a.arrivals, d.Arrived)
	r.watchers.Offer(fb)
}

// attempt returns the record of a flashblock's payload id. It assumes that mu is held.
func (r *recorder) attempt(fb *flashblocks.Flashblock) *attempt {
	number := fb.Metadata.BlockNumber
	for _, a := range r.attempts[number] {
		if a.id == fb.PayloadID {
			if fb.Index == 0 {
				a.restarts++
			}
			return a
		}
	}
	a := &attempt{id: fb.PayloadID, number: number}
	r.attempts[number] = append(r.attempts[number], a)
	return a
}

func (r *recorder) state(s stream.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states = append(r.states, s.Connected)
}

// connected tells whether the stream is connected now.
func (r *recorder) connected() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.states) > 0 && r.states[len(r.states)-1]
}

// changes returns every change of the connection: true for connected.
func (r *recorder) changes() []bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.states)
}

// awaitQuiet waits until the connection to a node that has ended is gone: everything it published is here.
func (r *recorder) awaitQuiet() {
	r.t.Helper()
	harness.Eventually(r.t, "the recorder has lost its connection", func() bool { return !r.connected() })
}

// newest is the highest block number that something was published for.
func (r *recorder) newest() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Max(slices.Collect(maps.Keys(r.attempts)))
}

// at returns what was published for a block number.
func (r *recorder) at(number uint64) []attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []attempt
	for _, a := range r.attempts[number] {
		taken := *a
		taken.blocks, taken.arrivals = slices.Clone(a.blocks), slices.Clone(a.arrivals)
		list = append(list, taken)
	}
	return list
}

// userFlashblocks counts what was published behind index 0.
func (r *recorder) userFlashblocks() (count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, attempts := range r.attempts {
		for _, a := range attempts {
			count += a.user()
		}
	}
	return count
}

// attemptsBeyondOne counts the attempts at numbers up to last that were not the only ones.
func (r *recorder) attemptsBeyondOne(last uint64) (count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for number, attempts := range r.attempts {
		if number <= last {
			count += len(attempts) - 1
		}
	}
	return count
}

// awaiting begins to wait for the next flashblock that matches.
func (r *recorder) awaiting(match func(*flashblocks.Flashblock) bool) *harness.Watcher {
	r.t.Helper()
	return r.watchers.Add(r.t, match)
}

// await returns the next flashblock that matches, counting from now.
func (r *recorder) await(what string, match func(*flashblocks.Flashblock) bool) *flashblocks.Flashblock {
	r.t.Helper()
	return r.awaiting(match).Get(what)
}

// nonEmpty matches a position with transactions in any block.
func nonEmpty(i uint64) func(*flashblocks.Flashblock) bool {
	return func(fb *flashblocks.Flashblock) bool { return fb.Index == i && len(fb.Diff.Transactions) > 0 }
}
