// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who reacts to an event finds at least its state, whichever goroutine asks.
func TestPointerBeforeEvent(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	s := h.slots(5)
	sub := h.p.Subscribe()
	failed := make(chan string, 1)
	go func() {
		defer close(failed)
		for ev := range sub.Events() {
			if at := h.p.tip.Load(); at == nil || at.Number() < ev.Snapshot.Number() || at.Number() == ev.Snapshot.Number() && at.Index < ev.Snapshot.Index {
				failed <- "the pointer is older than the event"
				return
			}
			if ev.Snapshot.Number() == 5 && ev.Snapshot.Index == 4 {
				return
			}
		}
	}()
	for _, sl := range s {
		h.send(sl.fbs...)
	}
	h.sync()
	require.Empty(t, <-failed)
}

// A subscriber that does not read loses its subscription; the others do not notice.
func TestLaggingSubscriber(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	lagging, reading := h.p.Subscribe(), h.p.Subscribe()
	var events int
	for range (eventQueue + 10) / 5 {
		s := h.slots(1)[0]
		h.deliver(s.fbs...)
		events += len(drain(reading))
		h.land(s.block)
	}
	require.Equal(t, (eventQueue+10)/5*6-1, events, "each flashblock, and each block that became canonical but the last")
	var got int
	for range lagging.Events() { // closed
		got++
	}
	require.Equal(t, eventQueue, got)
	require.EqualValues(t, 1, h.p.metrics.dropped.Get())
	lagging.Unsubscribe()
	reading.Unsubscribe()
	reading.Unsubscribe()
	drain(reading)
	_, open := <-reading.Events()
	require.False(t, open)
}

func TestStopClosesSubscriptions(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	sub := h.p.Subscribe()
	s := h.slots(1)[0]
	h.deliver(s.fbs...)
	require.NoError(t, h.p.Stop())
	var events int
	for range sub.Events() {
		events++
	}
	require.Equal(t, 5, events)
	require.Nil(t, h.p.Snapshot())
	_, open := <-h.p.Subscribe().Events()
	require.False(t, open)
	sub.Unsubscribe()
	require.NoError(t, h.p.Stop(), "stopping twice is stopping once")
}
