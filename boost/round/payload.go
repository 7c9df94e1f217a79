// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"

	"github.com/ethereum/go-ethereum/common"
)

// Payload is a result of engine_getPayload in a form to compare and to validate. It shares memory with it.
type Payload struct {
	Execution         json.RawMessage // the execution payload itself
	ExecutionRequests json.RawMessage // nil if the envelope has none

	BlockHash             common.Hash
	ParentHash            common.Hash
	StateRoot             common.Hash
	Number                uint64
	GasUsed               uint64
	GasLimit              uint64
	Timestamp             uint64 // seconds
	PrevRandao            common.Hash
	FeeRecipient          common.Address
	ExtraData             []byte
	ParentBeaconBlockRoot *common.Hash      // nil if the envelope does not tell it
	Transactions          []json.RawMessage // hex strings with their quotes
	Withdrawals           json.RawMessage   // nil if absent or null
}

// ParsePayload reads a result of engine_getPayload of any version, enveloped or bare. Error: ErrMalformed.
func ParsePayload(result json.RawMessage) (*Payload, error) { return nil, ErrMalformed }

// NewPayload returns the method and the parameters of the engine_newPayload call that validates the
// block. version is the one of engine_getPayload; beaconRoot is used if the envelope tells none.
func (p *Payload) NewPayload(version int, beaconRoot *common.Hash) (method string, params []json.RawMessage) {
	return "", nil
}

// Conform checks that a builder's block is the one the attributes ask for: parent, number if known,
// timestamp, prevRandao, fee recipient, gas limit, beacon root, withdrawals, extra data, and the forced
// transactions first. Error: ErrNonconforming, naming the field.
func Conform(req *Request, p *Payload) error { return ErrNonconforming }
