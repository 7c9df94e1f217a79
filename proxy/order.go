// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"bytes"
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

	// maxRetired is how many payload ids left behind are remembered to recognise late messages.
	maxRetired = 64
)

// order puts the messages of several upstreams into one order: contiguous within an attempt, and never
// back to an attempt that was left. Each upstream is ordered in itself; together they are not. It is
// not safe for concurrent use.
type order struct {
	began   bool
	current engine.PayloadID
	next    uint64 // index expected
	retired []engine.PayloadID
	held    []stream.Delivery // wait for a message before them
}

// placement is what order makes of a message.
type placement uint8

const (
	placed placement = iota // publish what add returned
	waits                   // held until what is before it arrives
	late                    // its place has passed
)

// add takes one new message. It returns what is to be published now, in order. If patient is false
// nothing waits: there is nobody else who could bring what is missing.
func (o *order) add(d stream.Delivery, patient bool) ([]stream.Delivery, placement) {
	switch {
	case slices.Contains(o.retired, d.PayloadID):
		return nil, late
	case o.began && d.PayloadID == o.current && d.Index < o.next:
		return nil, late
	case o.began && d.PayloadID == o.current && d.Index == o.next, d.Index == 0, !o.began, !patient:
		out := o.leave(d.PayloadID)
		out = append(out, d)
		o.advance(d)
		return o.fill(out), placed
	}
	o.held = append(o.held, d)
	if len(o.held) > maxHeld {
		return o.release(), placed
	}
	return nil, waits
}

// leave gives out what is held of the current attempt if the next message belongs to another one:
// nothing can come before it any more.
func (o *order) leave(next engine.PayloadID) (out []stream.Delivery) {
	if !o.began || next == o.current {
		return nil
	}
	o.sort()
	rest := o.held[:0:0]
	for _, d := range o.held {
		if d.PayloadID == o.current {
			out = append(out, d)
		} else {
			rest = append(rest, d)
		}
	}
	o.held = rest
	return out
}

// advance moves the position to a message that is published.
func (o *order) advance(d stream.Delivery) {
	if o.began && d.PayloadID != o.current {
		if len(o.retired) == maxRetired {
			o.retired = append(o.retired[:0], o.retired[1:]...)
		}
		o.retired = append(o.retired, o.current)
	}
	o.began, o.current, o.next = true, d.PayloadID, d.Index+1
}

// fill appends what was held and fits now.
func (o *order) fill(out []stream.Delivery) []stream.Delivery {
	o.sort()
	rest := o.held[:0:0]
	for _, d := range o.held {
		if d.PayloadID == o.current && d.Index == o.next {
			o.next++
			out = append(out, d)
		} else {
			rest = append(rest, d)
		}
	}
	o.held = rest
	return out
}

// release gives up waiting and gives out everything held.
func (o *order) release() (out []stream.Delivery) {
	o.sort()
	for _, d := range o.held {
		if slices.Contains(o.retired, d.PayloadID) {
			continue
		}
		o.advance(d)
		out = append(out, d)
	}
	o.held = nil
	return out
}

// sort orders what is held by block and index, attempt by attempt.
func (o *order) sort() {
	slices.SortStableFunc(o.held, func(a, b stream.Delivery) int {
		return cmp.Or(
			cmp.Compare(a.BlockNumber, b.BlockNumber),
			bytes.Compare(a.PayloadID[:], b.PayloadID[:]),
			cmp.Compare(a.Index, b.Index),
		)
	})
}
