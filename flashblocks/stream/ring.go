// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"sync"
	"sync/atomic"
)

// ring keeps the last messages, bounded by count and bytes. Writers share a lock; readers take none,
// so a publication never waits for a reader, not even for one that was descheduled while reading.
//
// Every message has a sequence number. A slot holds the entry or, once evicted, nil; an entry carries
// its own number, so a reader can tell an overwritten slot from its own.
type ring struct {
	slots []atomic.Pointer[entry]
	head  atomic.Uint64 // number of the next message
	size  atomic.Uint64 // messages kept

	mu       sync.Mutex
	tail     uint64 // oldest number kept
	bytes    int    // V1 bytes kept
	maxBytes int
	closed   bool
}

func newRing(messages, maxBytes int) *ring {
	return &ring{slots: make([]atomic.Pointer[entry], messages), maxBytes: maxBytes}
}

// add appends a message, evicting as many old ones as the bounds ask for. It reports false after close.
func (r *ring) add(e *entry) bool {
	size := len(e.msg.V1)
	n := uint64(len(r.slots))

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	head := r.head.Load()
	for r.tail < head && (head-r.tail >= n || r.bytes+size > r.maxBytes) {
		if old := r.slots[r.tail%n].Swap(nil); old != nil {
			r.bytes -= len(old.msg.V1)
		}
		r.tail++
	}
	e.seq = head
	r.bytes += size
	// The slot before the head: whoever sees the new head also sees the entry.
	r.slots[head%n].Store(e)
	r.head.Store(head + 1)
	r.size.Store(head + 1 - r.tail)
	return true
}

// close refuses further messages. Those in the ring stay readable.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// get returns the message with the given number. A nil entry means that there is none yet or, with
// evicted set, none any more.
func (r *ring) get(seq uint64) (e *entry, evicted bool) {
	if seq >= r.head.Load() {
		return nil, false
	}
	if e = r.slots[seq%uint64(len(r.slots))].Load(); e == nil || e.seq != seq {
		return nil, true
	}
	return e, false
}

// entries returns what the ring holds, oldest first. A message published meanwhile may be missing,
// never one before the returned head.
func (r *ring) entries() (list []*entry, head uint64) {
	head = r.head.Load()
	first := uint64(0)
	if n := uint64(len(r.slots)); head > n {
		first = head - n
	}
	for seq := first; seq < head; seq++ {
		if e, _ := r.get(seq); e != nil {
			list = append(list, e)
		}
	}
	return list, head
}
