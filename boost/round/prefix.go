// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"

	"github.com/ethereum/go-ethereum/common"
)

// Prefix is what came of a builder's block in flashblocks, contiguous from index 0, frozen. It is
// immutable and safe for concurrent use.
type Prefix struct{}

// Count is the number of flashblocks.
func (p *Prefix) Count() int { return 0 }

// Published is how many of them were published.
func (p *Prefix) Published() int { return 0 }

// Transactions are those of all flashblocks in order, the post-exec transaction last, as hex strings with
// their quotes: the list for Request.Rebuild.
func (p *Prefix) Transactions() []json.RawMessage { return nil }

// Rooted reports whether the last flashblock carries a state root and a block hash that is the hash of
// the fields, so that the prefix is a block by itself. The first call computes the hash.
func (p *Prefix) Rooted() bool { return false }

// BlockHash is the hash that the last flashblock claims.
func (p *Prefix) BlockHash() common.Hash { return common.Hash{} }

// Number is the number of the block, zero if the prefix is empty.
func (p *Prefix) Number() uint64 { return 0 }

// Envelope returns the result object of engine_getPayloadVx. Errors: ErrEmptyPrefix, ErrVersion.
func (p *Prefix) Envelope(version int) (json.RawMessage, error) { return nil, ErrEmptyPrefix }

// NewPayload returns the method and the parameters of the engine_newPayload call that validates the
// block. version is the one of engine_getPayload. Errors are those of Envelope.
func (p *Prefix) NewPayload(version int) (method string, params []json.RawMessage, err error) {
	return "", nil, ErrEmptyPrefix
}

// Matches checks that what was published is, transaction by transaction, the beginning of a block. An
// empty prefix matches every block. Error: ErrMismatch.
func (p *Prefix) Matches(block *Payload) error { return nil }

// Equal checks that a block consists of the prefix's transactions and no others, as a rebuilt one must.
// Error: ErrMismatch.
func (p *Prefix) Equal(block *Payload) error { return nil }
