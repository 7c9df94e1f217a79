// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import "sync"

// Event is a change of the pending state.
type Event struct {
	// Snapshot is the newest, nil when pending is latest.
	Snapshot *Snapshot

	// Fresh is set if the snapshot holds a flashblock that no event before had.
	Fresh bool

	// Withdrawn are the newest snapshots of blocks that were preconfirmed and will not become canonical as
	// they were, oldest first. If the same transactions turn out to have another outcome, the block is
	// withdrawn too and told anew, from its first flashblock.
	Withdrawn []*Snapshot
}

// eventQueue is how many events a subscriber may be behind: some ten seconds of flashblocks.
const eventQueue = 64

// Subscription delivers events in order. A subscriber that falls behind loses the subscription.
type Subscription struct {
	events chan Event
	owner  *broadcaster
	once   sync.Once
}

// Events is closed when the subscription ends: by Unsubscribe, when the subscriber fell behind, or when
// the processor stopped.
func (s *Subscription) Events() <-chan Event { return s.events }

// Unsubscribe ends the subscription.
func (s *Subscription) Unsubscribe() { s.owner.remove(s) }

// broadcaster hands events to subscribers without waiting for any of them.
type broadcaster struct {
	mu     sync.Mutex // guards the fields below
	subs   map[*Subscription]struct{}
	closed bool
}

func (b *broadcaster) subscribe() *Subscription {
	s := &Subscription{events: make(chan Event, eventQueue), owner: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		s.end()
		return s
	}
	if b.subs == nil {
		b.subs = make(map[*Subscription]struct{})
	}
	b.subs[s] = struct{}{}
	return s
}

func (b *broadcaster) remove(s *Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subs, s)
	s.end()
}

// end assumes that the broadcaster's lock is held.
func (s *Subscription) end() { s.once.Do(func() { close(s.events) }) }

// send returns how many subscribers were dropped for being behind.
func (b *broadcaster) send(ev Event) (dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		select {
		case s.events <- ev:
		default:
			delete(b.subs, s)
			s.end()
			dropped++
		}
	}
	return dropped
}

func (b *broadcaster) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for s := range b.subs {
		delete(b.subs, s)
		s.end()
	}
}
