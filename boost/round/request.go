// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package round keeps the sidecar's block building rounds: which build the local node and the builder were
// asked for, what flashblocks came of it, and what of them was published. It turns a round's flashblocks
// into the answer of engine_getPayload by splicing the wire's own text.
package round

import (
	"encoding/json"

	"github.com/ethereum/go-ethereum/common"
)

// Request is one engine_forkchoiceUpdated with payload attributes, kept as it came.
type Request struct {
	Method     string          // engine_forkchoiceUpdatedVx
	State      json.RawMessage // first parameter
	Attributes json.RawMessage // second parameter

	Head common.Hash // parent of the block to build

	// Number of the block to build, zero if unknown. The caller may set it before Begin.
	Number uint64

	Timestamp     uint64 // seconds
	PrevRandao    common.Hash
	FeeRecipient  common.Address
	NoTxPool      bool
	GasLimit      *uint64           // nil if the attributes leave it open
	Transactions  []json.RawMessage // forced into the block, hex strings with their quotes
	Withdrawals   json.RawMessage   // nil if absent or null
	BeaconRoot    *common.Hash      // nil before Ecotone
	EIP1559Params []byte            // nil before Holocene, 8 bytes from then on
	MinBaseFee    *uint64           // nil before Jovian
}

// ParseRequest reads the parameters of engine_forkchoiceUpdatedVx. Unknown keys are kept in the raw fields
// and otherwise ignored. Errors: ErrNoAttributes, ErrMalformed.
func ParseRequest(method string, params []json.RawMessage) (*Request, error) {
	return nil, ErrNoAttributes
}

// Rebuild returns the parameters of the forkchoice update that makes the local node build the same block
// from the given transactions alone: same state and attributes, transactions replaced, noTxPool set.
func (r *Request) Rebuild(txs []json.RawMessage) []json.RawMessage { return nil }
