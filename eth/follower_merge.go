// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"
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
	resume func()           // makes the stream begin again from resumeFrom
	asked  engine.PayloadID // last payload whose gap made it begin again, guarded by merger.mu
	stale  atomic.Bool      // it was asked to begin again and has not yet
	dialed atomic.Int64     // unix nanoseconds of the newest connection's beginning
}

// merger makes one stream of several: of every (payload id, index) the first arrival counts, and what comes
// too early makes its stream begin again from where the sequence stops.
type merger struct {
	sink    flashblockSink
	metrics *followerMetrics
	from    atomic.Pointer[flashblocks.Header] // position to resume from, nil for none
	taken   atomic.Pointer[flashblocks.FlashblockID]

	// mu also orders the deliveries: it is held while the sink is waited for.
	mu       sync.Mutex
	ctx      context.Context //nolint:containedctx // that of start, for handlers that get none
	sequence flashblocks.Sequence
	past     []pastPayload // oldest first
}

// pastPayload is a payload left behind, with how many flashblocks of it were taken.
type pastPayload struct {
	id    engine.PayloadID
	count uint64
}

func newMerger(sink flashblockSink, m *followerMetrics) *merger {
	return &merger{sink: sink, metrics: m, ctx: context.Background()}
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
	if m.has(d.PayloadID, d.Index) {
		m.metrics.repeated.Inc()
		return
	}
	fb, _, err := flashblocks.Decode(d.JSON, flashblocks.Limits{})
	if err != nil {
		m.metrics.malformed.Inc()
		log.Warn("Flashblock does not decode", "upstream", src.name, "block", d.BlockNumber, "index", d.Index, "err", err)
		return
	}
	before, count := m.sequence.Key().PayloadID, uint64(m.sequence.Len())
	if m.missesTail(fb) && m.again(src, fb, d.Arrived) {
		return
	}
	switch res := m.sequence.Add(fb); {
	case res.Outcome.Held():
		if count > 0 && before != fb.PayloadID {
			m.leave(before, count)
		}
		m.hold(fb)
	case res.Outcome == flashblocks.Gap:
		m.metrics.gaps.Inc()
		if res.CanResume {
			if at := m.from.Load(); at == nil || at.Position() != res.Resume {
				m.from.Store(&flashblocks.Header{BlockNumber: res.Resume.BlockNumber, Index: res.Resume.Index})
			}
			if m.again(src, fb, d.Arrived) {
				return
			}
		}
	case res.Outcome == flashblocks.TooLong:
	default:
		return // stale, or against the rules
	}
	m.sink.Deliver(m.ctx, fb, d.Arrived)
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
func (m *merger) hold(fb *flashblocks.Flashblock) {
	at := flashblocks.Header{PayloadID: fb.PayloadID, BlockNumber: m.sequence.Key().BlockNumber, Index: fb.Index}
	m.from.Store(&at)
	m.taken.Store(&flashblocks.FlashblockID{BlockNumber: at.BlockNumber, Index: at.Index})
	m.metrics.taken.Inc()
	m.metrics.newest.Store(at.BlockNumber)
}

// missesTail reports whether the beginning of a block names a predecessor of which the end is missing.
func (m *merger) missesTail(fb *flashblocks.Flashblock) bool {
	held, ok := m.sequence.Position()
	prev := fb.Metadata.PrevFlashblockID
	return ok && prev != nil && fb.Base != nil && fb.Base.BlockNumber == held.BlockNumber+1 &&
		prev.BlockNumber == held.BlockNumber && prev.Index > held.Index
}

// again makes a stream begin again because it brought a flashblock too early, and reports whether the
// flashblock will come again. A stream is asked once per payload: one that has begun again and still lacks
// the same has lost it.
func (m *merger) again(src *source, fb *flashblocks.Flashblock, arrived time.Time) bool {
	if src.asked == fb.PayloadID {
		// What was read from the connection given up may still be on its way here.
		return src.stale.Load() || arrived.UnixNano() <= src.dialed.Load()
	}
	src.asked = fb.PayloadID
	src.stale.Store(true)
	m.metrics.resumes.Inc()
	log.Info("Flashblocks are missing: resuming the stream", "upstream", src.name, "block", fb.Metadata.BlockNumber, "index", fb.Index, "held", m.sequence.Len())
	src.resume()
	return true
}
