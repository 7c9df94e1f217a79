// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// Two sequencers with the same attributes derive the same payload id, and so does a builder that begins the
// same block again after a restart. The id alone therefore does not say that two messages belong to one
// block: an upstream that has contradicted an attempt once goes on building another one.

// maxPayloads is how many payload ids a memory of them holds: over two minutes of 2 s blocks, and longer
// than any upstream goes on sending an attempt.
const maxPayloads = 64

// payloads remembers the last payload ids that were added.
type payloads []engine.PayloadID

func (p payloads) has(id engine.PayloadID) bool { return slices.Contains(p, id) }

func (p *payloads) add(id engine.PayloadID) {
	if p.has(id) {
		return
	}
	if len(*p) == maxPayloads {
		*p = append((*p)[:0], (*p)[1:]...)
	}
	*p = append(*p, id)
}

// contradicted records that a source sent other content at a position that is published: nothing more of
// that attempt is taken from it. r.mu is held.
func (r *relay) contradicted(s *source, d stream.Delivery) {
	r.m.equivocations.Inc()
	r.log.Warn("Upstream contradicts a flashblock that was published, the rest of its block is left out", "upstream", s.name,
		"block", d.BlockNumber, "index", d.Index, "payload", d.PayloadID)
	s.contrary.add(d.PayloadID)
	r.endAttempt()
}

// endAttempt gives up the attempt in progress when everybody who is listened to builds another one under its
// id. Clients would take that one's messages for a continuation, or refuse them: the id of an attempt stands
// for one content. So the rest of the block is left out; v0 clients are told that what they have of it is
// abandoned. r.mu is held.
func (r *relay) endAttempt() {
	id, told := r.last.PayloadID, false
	if r.stopped || r.last == (flashblocks.Header{}) || r.ended.has(id) {
		return
	}
	for _, s := range r.sources {
		if !s.connected || !r.heeds(s) {
			continue
		}
		if !s.contrary.has(id) {
			return
		}
		told = true
	}
	if !told {
		return
	}
	r.ended.add(id)
	r.order.forget(id)
	r.log.Warn("A block ends early: its builder is no longer the one that began it", "block", r.last.BlockNumber,
		"index", r.last.Index, "payload", id)
	r.abandon()
}

// endReplay notes whether a source may still be replaying what it has kept. Replayed messages follow each
// other at once, up to where the others are.
func (r *relay) endReplay(s *source, d stream.Delivery) {
	if d.Arrived.Sub(s.heard) > quiet || r.hasLast && d.BlockNumber >= r.last.BlockNumber {
		s.replays = false
	}
	s.heard = d.Arrived
}

// outdated reports a message of a replay that goes back further than the stream: another upstream has kept
// less, or the stream began in the middle. An older block that comes live is an unsafe reorg. r.mu is held.
func (r *relay) outdated(s *source, d stream.Delivery) bool {
	return s.replays && r.hasLast && d.BlockNumber != 0 && d.BlockNumber < r.last.BlockNumber
}

// connect records a connection to a source, which may begin with a replay, or its loss. r.mu is held.
func (s *source) connect(connected bool) {
	s.connected, s.replays, s.heard = connected, connected, time.Now()
}
