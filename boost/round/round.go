// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"context"
	"errors"
	"slices"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
)

// Round is one build that both the local node and the builder were asked for. It is the token of its
// forkchoice update: answers that come late concern this round and no other. It is live, and its
// flashblocks are published, from when both sides have answered until it is frozen or superseded. Methods are
// safe for concurrent use.
type Round struct {
	store    *Store
	req      *Request
	seq      uint64        // orders the rounds by their forkchoice updates, guarded by store.mu
	answered chan struct{} // closed with the builder's first answer
	changed  chan struct{} // signalled when something was published, or could have been
	ended    chan struct{} // closed when no flashblock can follow

	// Guarded by store.mu.
	local      engine.PayloadID
	hasLocal   bool
	localOut   bool   // the local node builds nothing
	twin       *Round // the round that lives in place of this one
	builder    engine.PayloadID
	hasBuilder bool
	builderErr error
	line       *line // set once both ids are bound
	published  int
	superseded bool
	frozen     *Prefix
	released   bool // frozen, but nobody is making its block
	resolved   bool
}

// Request is what was asked for.
func (r *Round) Request() *Request { return r.req }

// BindLocal records the payload id of the local node's VALID answer, and returns the round that lives under
// it: an older one if the id is known, because then the build was asked for twice, and the round in
// progress goes on. A new id supersedes the rounds of older updates that nobody has asked for; one that comes
// when there is a newer round, or another head, is superseded itself.
func (r *Round) BindLocal(id engine.PayloadID) *Round {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.twin != nil {
		return r.twin
	}
	if r.hasLocal || r.localOut {
		return r
	}
	if old := s.byLocal[id]; old != nil {
		r.twin = old
		old.seq = max(old.seq, r.seq)
		old.revive()
		r.end()
		if r.hasBuilder {
			old.bindBuilder(r.builder)
		}
		return old
	}
	r.local, r.hasLocal = id, true
	s.supersede(func(other *Round) bool { return other.seq < r.seq })
	if s.outdated(r) {
		r.supersede()
	}
	s.byLocal[id] = r
	s.rounds = append(s.rounds, r)
	if len(s.rounds) > s.cfg.Keep {
		s.evict(s.rounds[0])
		s.rounds = append(s.rounds[:0], s.rounds[1:]...)
	}
	r.claim()
	return r
}

// revive takes back that a round was superseded, of which nobody saw anything: it is asked for again.
func (r *Round) revive() {
	if !r.superseded || r.store.outdated(r) {
		return
	}
	r.store.supersede(func(other *Round) bool { return other != r })
	r.superseded = false
	if r.frozen != nil {
		return
	}
	r.claim()
	if r.line != nil {
		r.store.publish(r)
	}
}

// outdated reports whether op-node has begun a newer build than the round's, or left its parent.
func (s *Store) outdated(r *Round) bool {
	return s.head != (common.Hash{}) && s.head != r.req.Head ||
		slices.ContainsFunc(s.rounds, func(other *Round) bool { return other.seq > r.seq })
}

// evict forgets a round.
func (s *Store) evict(r *Round) {
	if r.published > 0 {
		r.discard(ReasonSuperseded)
	}
	delete(s.byLocal, r.local)
	if r.line != nil && r.line.owner == r {
		s.lines.remove(r.line)
	}
}

// FailLocal records that the local node builds nothing. The round never publishes, and what the builder
// sends for it waits for a repetition of the request.
func (r *Round) FailLocal(reason string) {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.hasLocal || r.twin != nil {
		return
	}
	r.localOut = true
	r.end()
	s.log.Debug("Local node builds no block", "parent", r.req.Head, "reason", reason)
}

// BindBuilder records the payload id of the builder's answer. Only the first answer counts, except that an
// id may follow a failure.
func (r *Round) BindBuilder(id engine.PayloadID) {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	r.bindBuilder(id)
	if r.twin != nil {
		r.twin.bindBuilder(id)
	}
}

func (r *Round) bindBuilder(id engine.PayloadID) {
	if r.hasBuilder || errors.Is(r.builderErr, ErrBuilderInUse) {
		return
	}
	r.builder, r.hasBuilder, r.builderErr = id, true, nil
	r.claim()
	r.answer()
}

// FailBuilder records that the builder builds nothing.
func (r *Round) FailBuilder(err error) {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.hasBuilder && r.builderErr == nil {
		r.builderErr = err
		r.answer()
	}
}

func (r *Round) answer() {
	select {
	case <-r.answered:
	default:
		close(r.answered)
	}
}

// Builder waits for the builder's answer and returns its payload id, or why there is none.
func (r *Round) Builder(ctx context.Context) (engine.PayloadID, error) {
	select {
	case <-r.answered:
	case <-ctx.Done():
		return engine.PayloadID{}, ctx.Err()
	}
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	return r.builder, r.builderErr
}

// claim takes the builder's line once both sides have answered. Two local ids never share one: that would
// put one block under two ids.
func (r *Round) claim() {
	if !r.hasLocal || !r.hasBuilder || r.line != nil {
		return
	}
	s := r.store
	if l := s.lines.byID[r.builder]; l != nil && l.owner != nil {
		if !l.owner.yields() {
			r.builder, r.hasBuilder, r.builderErr = engine.PayloadID{}, false, ErrBuilderInUse
			s.log.Warn("Builder gave one payload id to two builds", "payload", l.id, "local", r.local, "other", l.owner.local)
			return
		}
		l.owner.line = nil
	}
	r.line = s.lines.adopt(r.builder, r)
	s.judge(r.line)
	s.m.buffered.Add(len(r.line.pieces))
	s.publish(r)
}

// yields reports whether a newer round may have this one's line: nobody saw it or can ask for it.
func (r *Round) yields() bool { return r.superseded && r.published == 0 && r.frozen == nil }

// live reports whether flashblocks may be published.
func (r *Round) live() bool { return r.line != nil && !r.superseded && r.frozen == nil }

// Peek returns what has come so far without freezing it, for validation ahead of engine_getPayload.
func (r *Round) Peek() *Prefix {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	return r.prefix()
}

// Freeze ends the round's flashblocks: later ones are refused and counted. It returns the same prefix
// every time.
func (r *Round) Freeze() *Prefix {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.twin != nil {
		r = r.twin
	}
	if r.frozen == nil && r.hasBuilder {
		s.most = max(s.most, r.prefix().Count())
		s.m.serve(r.prefix().Count(), s.most)
	}
	r.released = false
	return r.freeze()
}

func (r *Round) freeze() *Prefix {
	if r.frozen == nil {
		r.frozen = r.prefix()
		r.end()
	}
	return r.frozen
}

// Changed is signalled after flashblocks have come to the live round. One signal may stand for several.
func (r *Round) Changed() <-chan struct{} { return r.changed }

// Ended is closed when no more flashblocks can come: the round is frozen, superseded, or nobody builds it
// locally.
func (r *Round) Ended() <-chan struct{} { return r.ended }

func (r *Round) end() {
	select {
	case <-r.ended:
	default:
		close(r.ended)
	}
}

func (r *Round) prefix() *Prefix {
	switch {
	case r.frozen != nil:
		return r.frozen
	case r.line == nil:
		return new(Prefix)
	}
	n := len(r.line.pieces)
	return &Prefix{pieces: r.line.pieces[:n:n], published: r.published}
}
