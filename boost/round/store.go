// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// Store holds the last rounds, and what came of the builder's stream. Nothing is predicted: flashblocks are
// kept by the builder's payload id until its answer says whose they are. Methods are safe for concurrent
// use.
type Store struct {
	cfg Config
	log log.Logger
	m   *storeMetrics

	mu      sync.Mutex
	lines   lines
	rounds  []*Round // with a local id, oldest first
	byLocal map[engine.PayloadID]*Round
	builds  uint64      // begun
	head    common.Hash // that op-node gave last, zero if unknown
	most    int         // flashblocks of the longest block

	last     flashblocks.Header // newest flashblock that need not come again
	hasLast  bool
	gapID    engine.PayloadID // the last one that a gap was reported for
	gapNoted time.Time

	complained atomic.Int64 // when, in Unix nanoseconds
}

// NewStore returns a store without rounds.
func NewStore(cfg Config) *Store {
	cfg = cfg.withDefaults()
	return &Store{
		cfg:     cfg,
		log:     cfg.Log,
		m:       newStoreMetrics(cfg.Metrics),
		lines:   lines{byID: make(map[engine.PayloadID]*line)},
		byLocal: make(map[engine.PayloadID]*Round),
	}
}

// Begin makes the round of a build that goes to both sides, before either is asked. It costs nothing to a
// round in progress: only a new local id does.
func (s *Store) Begin(req *Request) *Round {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.builds++
	for _, l := range s.lines.stale(s.builds) {
		s.lines.remove(l)
	}
	return &Round{store: s, req: req, seq: s.builds, answered: make(chan struct{}), changed: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Lookup returns the round of a local payload id, nil if there is none (any more).
func (s *Store) Lookup(local engine.PayloadID) *Round {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byLocal[local]
}

// Position is the newest flashblock that need not be sent again, if there is one: what a new connection to
// the builder resumes after.
func (s *Store) Position() (flashblocks.Header, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.hasLast
}

// Add takes a flashblock from the builder, which must be well-formed JSON with the header it carries. One
// that continues the live round is published before Add returns, with its own bytes; one that no round
// has yet is kept for a while; any other is counted and forgotten.
func (s *Store) Add(d stream.Delivery) {
	s.m.processed.Inc()
	p, err := cut(d)
	if held := s.take(d, p, err); held != nil {
		s.repeated(held, d)
	}
}

// take is Add for what cut made of a delivery. It returns the piece that is held in its place, if there is one:
// to compare the two may take long, and needs no lock.
func (s *Store) take(d stream.Delivery, p *piece, err error) (held *piece) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.refuse(d, err.Error())
		return nil
	}
	l := s.lines.byID[d.PayloadID]
	if l == nil || l.owner == nil {
		s.m.mismatch.Inc()
	}
	next := uint64(0)
	if l != nil {
		next = uint64(len(l.pieces))
	}
	switch {
	case d.Index < next:
		return l.pieces[d.Index]
	case l != nil && l.owner != nil && l.owner.frozen != nil:
		s.m.refused.Inc()
		s.advance(d)
		s.log.Debug("Flashblock came after its block had been asked for", "payload", d.PayloadID, "index", d.Index)
	case l != nil && (l.barred || l.torn):
		s.m.extend.Inc()
		s.advance(d)
	case (d.Index == 0) != (p.base != nil):
		s.refuse(d, "the base belongs to index 0 and only there")
	case d.Index > next:
		s.gap(d, next)
	case next > 0 && d.BlockNumber != 0 && d.BlockNumber != l.pieces[0].base.BlockNumber:
		s.refuse(d, "it names another block than its base")
	default:
		s.extend(l, p, d)
	}
	return nil
}

// extend adds the piece that comes next.
func (s *Store) extend(l *line, p *piece, d stream.Delivery) {
	if l != nil && (len(l.pieces) >= maxPieces || l.bytes+p.size() > s.cfg.RoundBytes) || p.size() > s.cfg.RoundBytes {
		s.refuse(d, "the block is larger than any block")
		return
	}
	if l == nil {
		l = s.lines.open(d.PayloadID)
	}
	s.lines.touch(l, s.builds)
	if l.owner == nil && !s.makeRoom(l, p) {
		return
	}
	if len(l.pieces) > 0 {
		s.m.arrival.Update(d.Arrived.Sub(l.arrived).Seconds())
	}
	l.arrived = d.Arrived
	s.lines.append(l, p)
	s.advance(d)
	if l.owner != nil {
		if p.header.Index == 0 {
			s.judge(l)
		}
		s.publish(l.owner)
	}
}

// makeRoom drops early lines until the bounds hold with one more piece.
func (s *Store) makeRoom(l *line, p *piece) bool {
	for s.lines.early > s.cfg.MaxEarly || s.lines.earlyBytes+p.size() > s.cfg.EarlyBytes {
		oldest := s.lines.oldestEarly(l)
		if oldest == nil {
			s.m.dropped.Inc()
			if len(l.pieces) == 0 {
				s.lines.remove(l)
			}
			return false
		}
		s.m.dropped.Add(len(oldest.pieces))
		s.lines.remove(oldest)
	}
	return true
}

// repeated takes in a flashblock that is held already. What is held stays, whatever comes. If the two differ,
// there are two blocks under one payload id, for instance because the builder was restarted, and what follows may
// belong to either: nothing more of that id is taken.
func (s *Store) repeated(held *piece, d stream.Delivery) {
	if held.same(d.JSON) {
		s.m.duplicates.Inc()
		return
	}
	s.m.conflicts.Inc()
	s.m.extend.Inc()
	s.mu.Lock()
	if l := s.lines.byID[d.PayloadID]; l != nil && d.Index < uint64(len(l.pieces)) && l.pieces[d.Index] == held {
		l.torn = true
	}
	s.mu.Unlock()
	s.complain("Builder contradicts its own flashblock, no more of this block is taken", "payload", d.PayloadID, "index", d.Index)
}

// gap records that flashblocks are missing, and asks for them.
func (s *Store) gap(d stream.Delivery, next uint64) {
	s.m.gaps.Inc()
	s.m.extend.Inc()
	now := s.cfg.Now()
	if d.PayloadID == s.gapID || !s.gapNoted.IsZero() && now.Sub(s.gapNoted) < gapPause {
		return
	}
	s.gapID, s.gapNoted = d.PayloadID, now
	s.log.Warn("Flashblocks of the builder are missing", "payload", d.PayloadID, "expected", next, "index", d.Index)
	s.cfg.Gap()
}

// refuse counts a flashblock that breaks the rules.
func (s *Store) refuse(d stream.Delivery, why string) {
	s.m.extend.Inc()
	s.complain("Builder sent a flashblock that is no part of a block", "payload", d.PayloadID, "index", d.Index, "err", why)
}

// complain warns of what a builder may do with every message, and so at most once in a while.
func (s *Store) complain(msg string, ctx ...any) {
	now, last := s.cfg.Now().UnixNano(), s.complained.Load()
	if last != 0 && now-last < int64(complaintPause) || !s.complained.CompareAndSwap(last, now) {
		s.log.Debug(msg, ctx...)
		return
	}
	s.log.Warn(msg, ctx...)
}

// advance remembers a flashblock that need not come again.
func (s *Store) advance(d stream.Delivery) {
	if d.BlockNumber != 0 {
		s.last, s.hasLast = d.Header, true
	}
}

// judge bars a line that contradicts its owner's attributes.
func (s *Store) judge(l *line) {
	if len(l.pieces) == 0 || l.barred {
		return
	}
	err := l.owner.req.conformsPiece(l.pieces[0])
	if err == nil {
		return
	}
	l.barred, l.pieces, l.bytes = true, nil, 0
	s.m.nonconforming.Inc()
	s.log.Warn("Builder builds another block than it was asked for", "payload", l.id, "err", err)
}

// publish publishes what the round has and may, in the order of the indices. Holding the lock for it keeps
// a later flashblock from overtaking.
func (s *Store) publish(r *Round) {
	for r.live() && r.published < len(r.line.pieces) && s.cfg.Publishing() {
		s.cfg.Publish(r.line.pieces[r.published].message(r.line.pieces[0].base, r.line.id))
		r.published++
		s.m.published.Inc()
	}
	if r.live() {
		select {
		case r.changed <- struct{}{}:
		default: // the last signal has not been taken yet
		}
	}
}
