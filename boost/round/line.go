// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
)

// line is what came under one payload id of the builder, contiguous from index 0.
type line struct {
	id      engine.PayloadID
	pieces  []*piece
	bytes   int
	owner   *Round    // nil until a round has it
	barred  bool      // contradicts the owner's attributes: nothing of it counts
	torn    bool      // contradicts itself: what is held counts, and nothing more
	build   uint64    // builds that had begun when it came last
	used    uint64    // store's clock when it came last
	arrived time.Time // of the last piece
}

// lines holds the lines, those without an owner within bounds.
type lines struct {
	byID       map[engine.PayloadID]*line
	early      int // lines without owner
	earlyBytes int
	clock      uint64
}

// adopt gives a line to a round, making it if nothing has come yet.
func (ls *lines) adopt(id engine.PayloadID, owner *Round) *line {
	l := ls.byID[id]
	switch {
	case l == nil:
		l = &line{id: id}
		ls.byID[id] = l
	case l.owner == nil:
		ls.early--
		ls.earlyBytes -= l.bytes
	}
	l.owner = owner
	return l
}

// open makes a line without owner.
func (ls *lines) open(id engine.PayloadID) *line {
	l := &line{id: id}
	ls.byID[id] = l
	ls.early++
	return l
}

// remove forgets a line.
func (ls *lines) remove(l *line) {
	if ls.byID[l.id] != l {
		return
	}
	delete(ls.byID, l.id)
	if l.owner == nil {
		ls.early--
		ls.earlyBytes -= l.bytes
	}
}

// append adds a piece.
func (ls *lines) append(l *line, p *piece) {
	l.pieces = append(l.pieces, p)
	l.bytes += p.size()
	if l.owner == nil {
		ls.earlyBytes += p.size()
	}
}

// touch marks a line as the one that came last.
func (ls *lines) touch(l *line, build uint64) {
	ls.clock++
	l.used, l.build = ls.clock, build
}

// oldestEarly returns the line without owner that came longest ago, but not the one given.
func (ls *lines) oldestEarly(but *line) (oldest *line) {
	for _, l := range ls.byID {
		if l.owner == nil && l != but && (oldest == nil || l.used < oldest.used) {
			oldest = l
		}
	}
	return oldest
}

// stale returns the lines without owner that nothing was added to for so many builds.
func (ls *lines) stale(build uint64) (list []*line) {
	for _, l := range ls.byID {
		if l.owner == nil && l.build+staleAfter < build {
			list = append(list, l)
		}
	}
	return list
}
