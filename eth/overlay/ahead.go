// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

// lookAhead takes what waits for execution out of the queue, as far as it is not more than the queue may hold,
// and drops what it can tell to be in vain: the rest of an attempt that another one behind it replaces. What is
// in vain because its block has become canonical is seen by advance. Nothing else is received before what
// precedes it was executed, so that a queue means nothing but time.
func (p *Processor) lookAhead() {
	defer func() { p.waits.Store(int64(len(p.waiting))) }()
	for len(p.waiting) < inputQueue {
		select {
		case in := <-p.inputs:
			p.waiting = append(p.waiting, in)
			continue
		default:
		}
		break
	}
	for n, ok := p.replaced(); ok; n, ok = p.replaced() {
		if p.items[0].fb.Base.BlockNumber > p.head.Number.Uint64() { // the others were counted
			done := 0
			if b := p.inProgress(); b != nil {
				done = b.next()
			}
			p.metrics.superseded.Add(len(p.items) - done + n)
		}
		for _, in := range p.waiting[:n+1] {
			p.receive(in)
		}
		clear(p.waiting[:n+1]) // not to be kept in memory
		p.waiting = p.waiting[n+1:]
	}
}

// replaced tells behind how many of the flashblocks that wait, which must all continue the attempt in progress,
// another attempt takes its place.
func (p *Processor) replaced() (int, bool) {
	if len(p.items) == 0 {
		return 0, false
	}
	key, held := p.sequence.Key(), p.sequence.Len()
	for i, in := range p.waiting {
		fb := in.fb
		switch {
		case fb.PayloadID == key.PayloadID:
			if fb.Base != nil || fb.Index != uint64(held+i) {
				return 0, false
			}
		case fb.Index == 0 && fb.Base != nil:
			return i, fb.Base.BlockNumber <= key.BlockNumber
		default:
			return 0, false
		}
	}
	return 0, false
}

// next receives the first flashblock that waits, and returns false if there is none.
func (p *Processor) next() bool {
	if len(p.waiting) == 0 {
		return false
	}
	p.expire() // a stream of what cannot be executed must not keep it from being noticed
	in := p.waiting[0]
	p.waiting[0] = input{} // not to be kept in memory
	p.waiting = p.waiting[1:]
	p.receive(in)
	return true
}
