// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package harness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/devnet/published"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// Attempt is everything published under one payload id for one block number.
type Attempt struct {
	ID          engine.PayloadID
	Number      uint64
	Flashblocks []*flashblocks.Flashblock // in the order of their arrival
	Arrivals    []time.Time
	Restarts    int // how often index 0 came again
}

// User returns the number of flashblocks behind index 0.
func (a *Attempt) User() int { return len(a.Flashblocks) - 1 }

// Offset returns how far into its slot a flashblock arrived.
func (a *Attempt) Offset(i int, blockTime time.Duration) time.Duration {
	return a.Arrivals[i].Sub(time.Unix(int64(a.Flashblocks[0].Base.Timestamp), 0)) + blockTime
}

// Txs returns the transactions of all flashblocks, in order.
func (a *Attempt) Txs() [][]byte {
	var txs [][]byte
	for _, fb := range a.Flashblocks {
		txs = append(txs, fb.Diff.Transactions...)
	}
	return txs
}

// continues tells why a flashblock is not the next one.
func (a *Attempt) continues(fb *flashblocks.Flashblock) error {
	switch count := len(a.Flashblocks); {
	case count == 0 && fb.Base == nil:
		return fmt.Errorf("flashblock %d/%d of payload %v came before its index 0", a.Number, fb.Index, a.ID)
	case fb.Index != uint64(count):
		return fmt.Errorf("flashblock %d/%d of payload %v came after %d others", a.Number, fb.Index, a.ID, count)
	}
	return nil
}

// Recorder keeps everything that a v1 stream publishes. It is safe for concurrent use.
type Recorder struct {
	t      testing.TB
	strict bool

	mu       sync.Mutex
	attempts published.Attempts[Attempt]
	states   []bool // connected or not, as it changed
	watchers Watchers
}

// NewRecorder returns a recorder that is told of everything by Take. A strict one fails the test for a flashblock
// that does not continue its attempt, or comes twice. Another one judges nothing.
func NewRecorder(t testing.TB, strict bool) *Recorder {
	t.Helper()
	return &Recorder{t: t, strict: strict}
}

// Record follows a stream until the end of the test. It is connected when it returns.
func Record(t testing.TB, url string, strict bool) *Recorder {
	t.Helper()
	r := NewRecorder(t, strict)
	sub := published.NewSubscriber(published.Config{
		URL: url, Name: "recorder", Queue: 4096, Repeats: strict,
		BackoffMin: Poll, BackoffMax: 2 * Poll, // a restarted node must be found before its first block
		Flashblock: r.Take, State: r.state,
		Garbled: func(d stream.Delivery, err error) {
			t.Errorf("flashblock %d/%d cannot be decoded: %v", d.BlockNumber, d.Index, err)
		},
	})
	require.NoError(t, sub.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := sub.Stop(ctx); err != nil {
			t.Errorf("stop the recorder: %v", err)
		}
	})
	Eventually(t, "the recorder is connected", r.Connected)
	return r
}

// Take records a flashblock.
func (r *Recorder) Take(fb *flashblocks.Flashblock, arrived time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, begun := r.attempts.Of(fb)
	if begun {
		a.ID, a.Number = fb.PayloadID, fb.Metadata.BlockNumber
	} else if fb.Index == 0 {
		a.Restarts++
	}
	if r.strict {
		if err := a.continues(fb); err != nil {
			r.t.Error(err)
			return
		}
	}
	a.Flashblocks = append(a.Flashblocks, fb)
	a.Arrivals = append(a.Arrivals, arrived)
	r.watchers.Offer(fb)
}

func (r *Recorder) state(s stream.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states = append(r.states, s.Connected)
}

// Connected tells whether the stream is connected now.
func (r *Recorder) Connected() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.states) > 0 && r.states[len(r.states)-1]
}

// Changes returns every change of the connection: true for connected.
func (r *Recorder) Changes() []bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.states)
}

// AwaitQuiet waits until the connection to a node that has ended is gone: everything it published is here.
func (r *Recorder) AwaitQuiet() {
	r.t.Helper()
	Eventually(r.t, "the recorder has lost its connection", func() bool { return !r.Connected() })
}

// Numbers returns the block numbers that something was published for, ascending.
func (r *Recorder) Numbers() []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts.Numbers()
}

// At returns what was published for a block number, in the order in which the attempts began.
func (r *Recorder) At(number uint64) []Attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Attempt
	for _, a := range r.attempts.At(number) {
		taken := *a
		taken.Flashblocks, taken.Arrivals = slices.Clone(a.Flashblocks), slices.Clone(a.Arrivals)
		list = append(list, taken)
	}
	return list
}

// Awaiting begins to wait for the next flashblock that matches.
func (r *Recorder) Awaiting(match func(*flashblocks.Flashblock) bool) *Watcher {
	r.t.Helper()
	return r.watchers.Add(r.t, match)
}

// Await returns the next flashblock that matches, counting from now.
func (r *Recorder) Await(what string, match func(*flashblocks.Flashblock) bool) *flashblocks.Flashblock {
	r.t.Helper()
	return r.Awaiting(match).Get(what)
}
