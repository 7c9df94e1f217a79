// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package stream

import (
	"sync"
	"sync/atomic"
	"time"
)

// visitMessages is how many messages a client gets in one visit: enough for what accumulates in a
// pause of the machine, and so few that clients which replay the ring do not keep the others waiting.
const visitMessages = 8

// walker writes to many clients in turn, to none for longer than its socket has room: a message to
// thousands of clients then costs hardly more than the writes themselves, where a goroutine per client
// costs as many wake-ups. Who has no room is given to a goroutine of its own until it has caught up.
// With walkers a delivery to one of 9,000 clients costs 1.1 times the CPU of a bare write, and an idle client 4.2 KB,
// with a goroutine for each 1.36 times and 7.2 KB (make bench-proxy). Walkers need frames of their own, which can be cut
// where a socket has no room.
//
// A client belongs to its walker or to a goroutine of its own, and what belongs to a walker to whoever
// holds turn. Nobody else writes to its socket.
type walker struct {
	hub     *Hub
	wake    chan struct{} // capacity 1: one wake-up covers everything before it
	members atomic.Int64  // clients admitted and not over, also those on goroutines of their own

	mu    sync.Mutex
	inbox []call // at most two for each client

	late    []*client // to be visited again; used by run alone
	walked  uint64    // head of the ring at the last walk; used by run alone
	upwards bool      // direction of the last walk; used by run alone

	turn    sync.Mutex // nobody waits while holding it
	clients []*client
	attempt *attempt
}

// call asks a walker to look after a client.
type call struct {
	client *client
	joins  bool // it is the walker's from now on
}

func newWalker(h *Hub) *walker {
	return &walker{hub: h, wake: make(chan struct{}, 1), attempt: newAttempt()}
}

// rouse makes the walker look at the ring, its inbox, and whether it is still needed.
func (w *walker) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// tell puts a call into the inbox.
func (w *walker) tell(c call) {
	w.mu.Lock()
	w.inbox = append(w.inbox, c)
	w.mu.Unlock()
	w.rouse()
}

// leave records that a client is over.
func (w *walker) leave() {
	w.members.Add(-1)
	w.rouse()
}

// run serves until the hub has stopped and every client is over.
func (w *walker) run() {
	defer w.hub.wg.Done()
	for {
		if len(w.late) == 0 {
			<-w.wake
		}
		w.serve()
		if w.hub.closing.Load() && w.members.Load() == 0 {
			return
		}
	}
}

// serve makes one round: who called, and then everybody if there is a new message, or else who was
// left behind.
func (w *walker) serve() {
	w.mu.Lock()
	calls := w.inbox
	w.inbox = nil
	w.mu.Unlock()
	w.turn.Lock()
	defer w.turn.Unlock()
	for _, call := range calls {
		c := call.client
		if call.joins {
			c.slot = len(w.clients)
			w.clients = append(w.clients, c)
		}
		w.visit(c)
	}
	late := w.late
	w.late = nil
	closing := w.hub.closing.Load()
	if head := w.hub.ring.head.Load(); head != w.walked || closing {
		w.walked = head
		w.walk()
		return
	}
	for _, c := range late {
		w.visit(c)
	}
}

// walk visits everybody, in turn from either end, so that nobody is always the last.
func (w *walker) walk() {
	w.upwards = !w.upwards
	if !w.upwards {
		for i := len(w.clients) - 1; i >= 0; i-- { // whoever takes the place of one that leaves was visited
			w.visit(w.clients[i])
		}
		return
	}
	for i := 0; i < len(w.clients); {
		c := w.clients[i]
		if w.visit(c); c.slot == i {
			i++
		}
	}
}

// visit writes to a client what it has not got, unless it is not the walker's.
func (w *walker) visit(c *client) {
	if c.slot < 0 {
		return
	}
	if w.write(c) == behind {
		w.late = append(w.late, c)
	}
}

// write writes to a client of the walker, and gives it up if nothing more can be written now.
func (w *walker) write(c *client) state {
	state, owed := c.pump(w)
	switch state {
	case caughtUp, behind:
	case stuck:
		w.drop(c)
		w.hub.wg.Add(1)
		go c.run(owed)
	case over:
		w.drop(c)
		w.leave()
	}
	return state
}

// drop takes a client off the list.
func (w *walker) drop(c *client) {
	last := len(w.clients) - 1
	moved := w.clients[last]
	w.clients[c.slot], moved.slot = moved, c.slot
	w.clients[last] = nil
	w.clients = w.clients[:last]
	c.slot = -1
}

// put implements pen: it never waits.
func (w *walker) put(c *client, b []byte, _ time.Duration) ([]byte, error) {
	n, err := w.attempt.write(c.raw, b)
	return b[n:], err
}
