// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// Reason says why a round's flashblocks did not become the block. It is a metric label; reasons that
// are not among the constants count as ReasonOther.
type Reason string

// The reasons.
const (
	ReasonSuperseded    Reason = "superseded"    // a newer build began before the block was asked for
	ReasonInvalid       Reason = "invalid"       // the local node did not find the block valid
	ReasonNonconforming Reason = "nonconforming" // the block is not the one the attributes ask for
	ReasonMismatch      Reason = "mismatch"      // the builder's block lacks published transactions
	ReasonPolicy        Reason = "policy"        // the selection policy took the local block
	ReasonMode          Reason = "mode"          // the execution mode takes the local block
	ReasonUnavailable   Reason = "unavailable"   // no builder block could be had in time
	ReasonOther         Reason = "other"
)

// Sealed is what became of a round whose builder block was returned.
type Sealed struct {
	BlockHash common.Hash
	StateRoot common.Hash
	GasUsed   uint64
}

// Keep records that the round's block was returned, and tells v0 subscribers its root. It freezes the round
// if nobody has.
func (r *Round) Keep(sealed Sealed) {
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.resolve() {
		return
	}
	s.m.kept.Inc()
	if r.published > 0 {
		base := r.frozen.pieces[0].base
		s.notice(r, flashblocks.NewSealedNotification(base, uint64(r.published-1), sealed.StateRoot, sealed.GasUsed))
	}
}

// Discard records that another block was returned, or none. If something was published this is counted,
// logged and told to v0 subscribers. Only the first of Keep and Discard counts.
func (r *Round) Discard(reason Reason) {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.discard(reason)
}

func (r *Round) discard(reason Reason) {
	if !r.resolve() || r.published == 0 {
		return
	}
	s := r.store
	counter := s.m.discarded[reason]
	if counter == nil {
		counter = s.m.discarded[ReasonOther]
	}
	counter.Inc()
	base := r.frozen.pieces[0].base
	s.log.Warn("Published flashblocks did not become the block", "block", base.BlockNumber, "payload", r.local,
		"flashblocks", r.published, "reason", reason)
	s.notice(r, flashblocks.NewReorgNotification(base, uint64(r.published-1)))
}

// Release records that the frozen round's block could not be made, and that nothing was returned in its place: it
// may be asked for again, or be superseded like a round that nobody has asked for.
func (r *Round) Release() {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if r.frozen == nil || r.resolved {
		return
	}
	r.released = true
	if r.superseded && r.published > 0 {
		r.discard(ReasonSuperseded)
	}
}

// resolve reports whether this is the first outcome, after which nothing more comes to the round.
func (r *Round) resolve() bool {
	if r.resolved || r.twin != nil {
		return false
	}
	r.resolved = true
	r.freeze()
	return true
}

// Head tells the head of a forkchoice update, with or without attributes. A round on another parent that
// nobody has asked for comes to nothing: the chain went on without it.
func (s *Store) Head(head common.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head = head
	s.supersede(func(r *Round) bool { return r.req.Head != head })
}

// Abandon ends every round that nobody has asked for: the next block is built without the builder.
func (s *Store) Abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.supersede(func(*Round) bool { return true })
}

func (s *Store) supersede(which func(*Round) bool) {
	for _, r := range s.rounds {
		if which(r) {
			r.supersede()
		}
	}
}

// supersede ends a round that a newer one takes the place of. If its block is being made, that decides.
func (r *Round) supersede() {
	if r.superseded || r.resolved {
		return
	}
	r.superseded = true
	r.end()
	if r.published > 0 && (r.frozen == nil || r.released) {
		r.discard(ReasonSuperseded)
	}
}

// notice publishes a notification that exists on v0 only.
func (s *Store) notice(r *Round, n *flashblocks.Notification) {
	text := n.AppendJSON(nil)
	s.cfg.Publish(stream.Message{
		PayloadID: r.builder, BlockNumber: n.BlockNumber, Index: n.Index,
		V0: func() []byte { return text },
	})
}
