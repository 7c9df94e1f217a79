// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package follower

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// pastPayloads is how many payloads that were left behind are remembered, so that a slower stream's
// messages of them need not be decoded. It covers a minute of 1 s blocks.
const pastPayloads = 64

// source is one stream as the merger sees it.
type source struct {
	name   string
	resume func()       // makes the stream begin again from resumeFrom
	stale  atomic.Bool  // it was asked to begin again and has not yet
	dialed atomic.Int64 // unix nanoseconds of the newest connection's beginning
	vain   atomic.Bool  // its newest connection began without what was asked for

	// Guarded by merger.mu.
	asked   engine.PayloadID  // last payload whose gap made it begin again
	refused *engine.PayloadID // last payload of which it contradicted what was taken
}

// outdated reports whether something was read from a connection that was given up.
func (s *source) outdated(arrived time.Time) bool {
	return s.stale.Load() || arrived.UnixNano() <= s.dialed.Load()
}

// isRefused reports whether nothing of a payload is taken from the stream any more.
func (s *source) isRefused(id engine.PayloadID) bool { return s.refused != nil && *s.refused == id }

// merger makes one stream of several: of every (payload id, index) the first arrival counts, and what comes
// too early makes its stream begin again from where the sequence stops. A stream that contradicts what was
// taken of a payload is refused for the rest of it.
type merger struct {
	sink    Sink
	metrics *meters
	seed    maphash.Seed
	from    atomic.Pointer[flashblocks.Header] // position to resume from, nil for none
	taken   atomic.Pointer[flashblocks.FlashblockID]

	// mu also orders the deliveries: it is held while the sink is waited for.
	mu       sync.Mutex
	ctx      context.Context //nolint:containedctx // that of start, for handlers that get none
	sequence flashblocks.Sequence
	sums     []uint64 // of the messages in sequence
	early    heldBack
	past     []pastPayload // oldest first
}

// arrival is a decoded message.
type arrival struct {
	fb  *flashblocks.Flashblock
	at  time.Time
	sum uint64 // of its text
}

// pastPayload is a payload left behind, with how many flashblocks of it were taken.
type pastPayload struct {
	id    engine.PayloadID
	count uint64
}

func newMerger(sink Sink, m *meters) *merger {
	return &merger{sink: sink, metrics: m, seed: maphash.MakeSeed(), ctx: context.Background()}
}

// start sets the context that ends the waiting for the sink.
func (m *merger) start(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ctx = ctx
}

// resumeFrom tells a stream that is about to connect what to continue after.
func (m *merger) resumeFrom(src *source) (flashblocks.Header, bool) {
	src.dialed.Store(time.Now().UnixNano())
	src.stale.Store(false)
	src.vain.Store(false)
	at := m.from.Load()
	if at == nil {
		return flashblocks.Header{}, false
	}
	return *at, true
}

// position returns the last flashblock taken in, and false if there is none.
func (m *merger) position() (flashblocks.FlashblockID, bool) {
	at := m.taken.Load()
	if at == nil {
		return flashblocks.FlashblockID{}, false
	}
	return *at, true
}

// accept takes in one message. It waits for the sink.
func (m *merger) accept(src *source, d stream.Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.judgeHeldBack(src, d)
	if m.has(d.PayloadID, d.Index) {
		m.repeated(src, d)
		return
	}
	if src.isRefused(d.PayloadID) {
		m.metrics.conflicts.Inc()
		return
	}
	fb, ok := m.decode(src, d)
	if !ok {
		return
	}
	in := arrival{fb: fb, at: d.Arrived, sum: maphash.Bytes(m.seed, d.JSON)}
	if m.holdBack(src, in) {
		return
	}
	m.take(src, in)
	m.completeHeldBack()
}

// decode reads a message.
func (m *merger) decode(src *source, d stream.Delivery) (*flashblocks.Flashblock, bool) {
	fb, _, err := flashblocks.Decode(d.JSON, flashblocks.Limits{})
	if err != nil {
		m.metrics.malformed.Inc()
		log.Warn("Flashblock does not decode", "upstream", src.name, "block", d.BlockNumber, "index", d.Index, "err", err)
		return nil, false
	}
	return fb, true
}

// take hands a flashblock to the sink if the sequence goes on with it, or cannot go on without.
func (m *merger) take(src *source, in arrival) {
	before, count := m.sequence.Key().PayloadID, uint64(m.sequence.Len())
	switch res := m.sequence.Add(in.fb); {
	case res.Outcome.Held():
		if count > 0 && before != in.fb.PayloadID {
			m.leave(before, count)
		}
		m.hold(in)
	case res.Outcome == flashblocks.Gap:
		m.metrics.gaps.Inc()
		if res.CanResume {
			if at := m.from.Load(); at == nil || at.Position() != res.Resume {
				m.from.Store(&flashblocks.Header{BlockNumber: res.Resume.BlockNumber, Index: res.Resume.Index})
			}
			if m.again(src, in) {
				return
			}
		}
	case res.Outcome == flashblocks.TooLong:
	case res.Outcome == flashblocks.Conflict:
		m.contradicted(src, in.fb.Header())
		return
	default:
		return // stale, or against the rules
	}
	m.sink.Deliver(m.ctx, in.fb, in.at)
}

// has reports whether a flashblock was taken before.
func (m *merger) has(id engine.PayloadID, index uint64) bool {
	if n := m.sequence.Len(); n > 0 && m.sequence.Key().PayloadID == id {
		return index < uint64(n)
	}
	for i := range m.past {
		if m.past[i].id == id {
			return index < m.past[i].count
		}
	}
	return false
}

// leave remembers a payload that another has taken the place of.
func (m *merger) leave(id engine.PayloadID, count uint64) {
	if len(m.past) == pastPayloads {
		m.past = append(m.past[:0], m.past[1:]...)
	}
	m.past = append(m.past, pastPayload{id, count})
}

// hold notes that a flashblock is part of the sequence now.
func (m *merger) hold(in arrival) {
	fb := in.fb
	at := flashblocks.Header{PayloadID: fb.PayloadID, BlockNumber: m.sequence.Key().BlockNumber, Index: fb.Index}
	m.from.Store(&at)
	m.taken.Store(&flashblocks.FlashblockID{BlockNumber: at.BlockNumber, Index: at.Index})
	m.metrics.taken.Inc()
	m.metrics.newest.Store(at.BlockNumber)
	m.sums = append(m.sums[:fb.Index], in.sum)
}

// again makes a stream begin again because it brought a flashblock too early, and reports whether that
// may help. A stream is asked once per payload: one that has begun again and still lacks the same has lost it.
// It may be one that never sends again what it has sent, which misses more whenever it is cut, so it is left alone
// until it connects anew by itself.
func (m *merger) again(src *source, in arrival) bool {
	if src.asked == in.fb.PayloadID {
		if src.outdated(in.at) {
			return true // what was read from the connection given up may still be on its way here
		}
		src.vain.Store(true)
	}
	if src.vain.Load() {
		return false
	}
	src.asked = in.fb.PayloadID
	src.stale.Store(true)
	m.metrics.resumes.Inc()
	log.Info("Flashblocks are missing: resuming the stream", "upstream", src.name, "block", in.fb.Metadata.BlockNumber, "index", in.fb.Index, "held", m.sequence.Len())
	src.resume()
	return true
}
