// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"hash/maphash"

	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// repeated compares a message with the one that was taken for its place. Streams of one builder send the same
// bytes, which costs a hash; others are compared by what they say. Of payloads left behind nothing is taken
// any more, so that nothing could be mixed.
func (m *merger) repeated(src *source, d stream.Delivery) {
	if d.PayloadID != m.sequence.Key().PayloadID || maphash.Bytes(m.seed, d.JSON) == m.sums[d.Index] {
		m.metrics.repeated.Inc()
		return
	}
	fb, ok := m.decode(src, d)
	if !ok {
		return
	}
	if m.sequence.Add(fb).Outcome == flashblocks.Duplicate {
		m.metrics.repeated.Inc()
		return
	}
	m.contradicted(src, d.Header)
}

// contradicted refuses what a stream brings of a payload, of which it tells something else than what was taken:
// the rest of it does not fit what is executed. Whoever came first is followed, whichever of the two the
// sequencer seals; the chain tells when the block is canonical.
func (m *merger) contradicted(src *source, header flashblocks.Header) {
	m.metrics.conflicts.Inc()
	if src.isRefused(header.PayloadID) {
		return
	}
	src.refused = &header.PayloadID
	log.Warn("Flashblocks stream contradicts what was taken of the payload and is refused for the rest of it", "upstream", src.name, "block", m.sequence.Key().BlockNumber, "index", header.Index, "payload", header.PayloadID)
}
