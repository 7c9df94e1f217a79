// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"time"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// earlyLimit is how many flashblocks are held back: as many as wait for their handler when a connection is
// given up.
const earlyLimit = 64

// heldBack is the beginning of a block that came before the end of the one before, which its stream was asked
// for. It is contiguous from index 0. Not every stream sends again what it has sent, so it is kept here, and
// goes on without that end as soon as anything else shows that the end does not come.
type heldBack struct {
	src  *source
	list []arrival
}

// is reports whether a message belongs to what is held back, from the connection that was given up.
func (e *heldBack) is(src *source, header flashblocks.Header, arrived time.Time) bool {
	return len(e.list) > 0 && e.src == src && e.list[0].fb.PayloadID == header.PayloadID && src.outdated(arrived)
}

// judgeHeldBack lets go of what is held back if a message is neither more of it nor of the block before.
func (m *merger) judgeHeldBack(src *source, d stream.Delivery) {
	if len(m.early.list) == 0 || d.PayloadID == m.sequence.Key().PayloadID || m.early.is(src, d.Header, d.Arrived) {
		return
	}
	if src == m.early.src && !src.outdated(d.Arrived) {
		src.vain.Store(true) // it has begun again without
	}
	m.letGo()
}

// holdBack keeps a flashblock that has to wait for the end of the block before.
func (m *merger) holdBack(src *source, in arrival) bool {
	if m.early.is(src, in.fb.Header(), in.at) {
		switch held := uint64(len(m.early.list)); {
		case in.fb.Index < held:
			return true // from an upstream that repeats itself
		case in.fb.Index == held && held < earlyLimit:
			m.early.list = append(m.early.list, in)
			return true
		}
		m.letGo()
		return false
	}
	if len(m.early.list) > 0 || !m.missesTail(in.fb) || !m.again(src, in) {
		return false
	}
	m.early = heldBack{src: src, list: []arrival{in}}
	return true
}

// completeHeldBack lets go of what is held back once the block before is complete.
func (m *merger) completeHeldBack() {
	if len(m.early.list) > 0 && !m.missesTail(m.early.list[0].fb) {
		m.letGo()
	}
}

// lost tells that a stream cannot be reached: nothing it was asked for comes soon.
func (m *merger) lost(src *source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.early.src == src {
		m.letGo()
	}
}

// letGo takes what was held back.
func (m *merger) letGo() {
	early := m.early
	m.early = heldBack{}
	for _, in := range early.list {
		m.take(early.src, in)
	}
}

// missesTail reports whether the beginning of a block names a predecessor of which the end is missing.
func (m *merger) missesTail(fb *flashblocks.Flashblock) bool {
	held, ok := m.sequence.Position()
	prev := fb.Metadata.PrevFlashblockID
	return ok && prev != nil && fb.Base != nil && fb.Base.BlockNumber == held.BlockNumber+1 &&
		prev.BlockNumber == held.BlockNumber && prev.Index > held.Index
}
