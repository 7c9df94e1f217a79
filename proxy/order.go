// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"cmp"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

const (
	// gapPatience is how long a message waits for one before it that another upstream may still bring.
	// It is several times the difference between two regions, and less than what a slow client may lag.
	gapPatience = 500 * time.Millisecond

	// maxHeld bounds the messages that wait. It is a 2 s block in intervals of 20 ms.
	maxHeld = 128
)

// order puts the messages of several upstreams into one order: upwards within an attempt, without holes
// where somebody may still fill them, and never back to an attempt that was left. Each upstream is ordered
// in itself; together they are not. It is not safe for concurrent use.
type order struct {
	began   bool
	current engine.PayloadID
	block   uint64 // of the current attempt, 0 if it was not told
	next    uint64 // index expected
	retired payloads
	held    []stream.Delivery // wait for a message before them, in the order they came
}

// add takes one new message. It returns what is to be published now, in order, and how many messages were
// left out because their place had passed. If patient is false nothing waits for what is missing before d:
// there is nobody else who could bring it.
func (o *order) add(d stream.Delivery, patient bool) (ready []stream.Delivery, late int) {
	same := o.began && d.PayloadID == o.current
	passed := same && d.Index < o.next ||
		!same && d.Index > 0 && d.BlockNumber != 0 && d.BlockNumber < o.block // without its beginning nobody could use it
	switch {
	case passed, o.retired.has(d.PayloadID):
		return nil, 1
	case same && d.Index == o.next, d.Index == 0, !o.began, !patient:
		return o.place(d)
	}
	o.held = append(o.held, d)
	if len(o.held) > maxHeld {
		return o.release(), 0
	}
	return nil, 0
}

// place publishes a message at once, and around it what was held of both attempts, the one that is left and
// the one it belongs to.
func (o *order) place(d stream.Delivery) (ready []stream.Delivery, late int) {
	if o.began && d.PayloadID != o.current {
		ready = o.emit(ready, func(h *stream.Delivery) bool { return h.PayloadID == o.current })
	}
	ready = o.emit(ready, func(h *stream.Delivery) bool { return h.PayloadID == d.PayloadID && h.Index < d.Index })
	o.advance(d)
	ready, late = append(ready, d), o.drop(d)
	for {
		// Index by index: a message behind a hole goes on waiting.
		n := len(ready)
		ready = o.emit(ready, func(h *stream.Delivery) bool { return h.PayloadID == o.current && h.Index == o.next })
		if len(ready) == n {
			return ready, late
		}
	}
}

// emit appends the held messages that are chosen, which are of one attempt, in the order of their indices,
// and moves the position behind them.
func (o *order) emit(ready []stream.Delivery, chosen func(*stream.Delivery) bool) []stream.Delivery {
	begin := len(ready)
	o.held = slices.DeleteFunc(o.held, func(h stream.Delivery) bool {
		if !chosen(&h) {
			return false
		}
		ready = append(ready, h)
		return true
	})
	out := ready[begin:]
	slices.SortFunc(out, func(a, b stream.Delivery) int { return cmp.Compare(a.Index, b.Index) })
	for _, d := range out {
		o.advance(d)
	}
	return ready
}

// drop gives up the held messages of other attempts that the stream has passed with d, and returns how many
// these were. Their beginning never came, and the stream does not return to them.
func (o *order) drop(d stream.Delivery) int {
	before := len(o.held)
	o.held = slices.DeleteFunc(o.held, func(h stream.Delivery) bool {
		return h.PayloadID != d.PayloadID && h.BlockNumber != 0 && d.BlockNumber != 0 && h.BlockNumber <= d.BlockNumber
	})
	return before - len(o.held)
}

// advance moves the position to a message that is published.
func (o *order) advance(d stream.Delivery) {
	if o.began && d.PayloadID != o.current {
		o.retired.add(o.current)
		o.block = 0
	}
	o.began, o.current, o.next = true, d.PayloadID, d.Index+1
	o.block = max(o.block, d.BlockNumber)
}

// release gives up waiting: what is held of the current attempt comes out first, then the other attempts,
// block by block.
func (o *order) release() []stream.Delivery {
	ready := o.emit(nil, func(h *stream.Delivery) bool { return h.PayloadID == o.current })
	for len(o.held) > 0 {
		lowest := slices.MinFunc(o.held, func(a, b stream.Delivery) int { return cmp.Compare(a.BlockNumber, b.BlockNumber) })
		ready = o.emit(ready, func(h *stream.Delivery) bool { return h.PayloadID == lowest.PayloadID })
	}
	return ready
}

// forget drops what is held of an attempt.
func (o *order) forget(id engine.PayloadID) {
	o.held = slices.DeleteFunc(o.held, func(h stream.Delivery) bool { return h.PayloadID == id })
}
