// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
)

// Versions of the Engine API by the fork that introduced them.
const (
	versionCanyon    = 2 // withdrawals
	versionEcotone   = 3 // beacon root, blob fields
	versionIsthmus   = 4 // withdrawals root, execution requests
	newestNewPayload = 4
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

// ParsePayload reads a result of engine_getPayload of any version, enveloped or bare, which must be
// well-formed JSON. Error: ErrMalformed.
func ParsePayload(result json.RawMessage) (*Payload, error) {
	p := new(Payload)
	err := eachMember(result, func(key, value []byte) (err error) {
		if isNull(value) {
			return nil
		}
		switch string(key) {
		case "executionPayload":
			if p.Execution != nil {
				return fmt.Errorf("%w: two execution payloads", ErrMalformed)
			}
			p.Execution = value
		case "executionRequests":
			p.ExecutionRequests = value
		case "parentBeaconBlockRoot":
			p.ParentBeaconBlockRoot, err = fixedHash(value)
		}
		return inField(key, err)
	})
	if err != nil {
		return nil, err
	}
	if p.Execution == nil {
		p.Execution = result // version 1 has no envelope
	}
	var met keys
	err = eachMember(p.Execution, func(key, value []byte) error {
		bit, err := p.field(key, value)
		if err != nil {
			return inField(key, err)
		}
		if bit < 0 {
			return nil
		}
		return met.mark(bit, key)
	})
	if err == nil {
		err = met.require("blockHash", "parentHash", "stateRoot", "blockNumber", "gasUsed", "gasLimit",
			"timestamp", "prevRandao", "feeRecipient", "extraData", "transactions")
	}
	if err != nil {
		return nil, fmt.Errorf("execution payload: %w", err)
	}
	return p, nil
}

// field reads one member of the execution payload; the bit is negative for an unknown one.
func (p *Payload) field(key, value []byte) (bit int, err error) {
	switch string(key) {
	case "blockHash":
		return 0, fixed(p.BlockHash[:], value)
	case "parentHash":
		return 1, fixed(p.ParentHash[:], value)
	case "stateRoot":
		return 2, fixed(p.StateRoot[:], value)
	case "blockNumber":
		p.Number, err = quantity(value)
		return 3, err
	case "gasUsed":
		p.GasUsed, err = quantity(value)
		return 4, err
	case "gasLimit":
		p.GasLimit, err = quantity(value)
		return 5, err
	case "timestamp":
		p.Timestamp, err = quantity(value)
		return 6, err
	case "prevRandao":
		return 7, fixed(p.PrevRandao[:], value)
	case "feeRecipient":
		return 8, fixed(p.FeeRecipient[:], value)
	case "extraData":
		p.ExtraData, err = data(value)
		return 9, err
	case "transactions":
		list, err := hexList(value)
		p.Transactions = make([]json.RawMessage, len(list))
		for i, tx := range list {
			p.Transactions[i] = tx
		}
		return 10, err
	case "withdrawals":
		if !isNull(value) {
			p.Withdrawals = value
		}
		return 11, nil
	}
	return -1, nil
}

// NewPayload returns the method and the parameters of the engine_newPayload call that validates the
// block. version is the one of engine_getPayload; beaconRoot is used if the envelope tells none.
func (p *Payload) NewPayload(version int, beaconRoot *common.Hash) (method string, params []json.RawMessage) {
	if p.ParentBeaconBlockRoot != nil {
		beaconRoot = p.ParentBeaconBlockRoot
	}
	return newPayloadCall(version, p.Execution, beaconRoot, p.ExecutionRequests)
}

// newPayloadCall is the validation of what engine_getPayload answered in a version. OP Stack chains have no
// newer engine_newPayload than the fourth (Isthmus).
func newPayloadCall(version int, execution json.RawMessage, beaconRoot *common.Hash, requests json.RawMessage) (string, []json.RawMessage) {
	if version > newestNewPayload {
		version = newestNewPayload
	}
	params := []json.RawMessage{execution}
	if version >= versionEcotone {
		root := json.RawMessage("null")
		if beaconRoot != nil {
			root = appendHex(nil, beaconRoot[:])
		}
		params = append(params, json.RawMessage("[]"), root)
	}
	if version >= versionIsthmus {
		if requests == nil {
			requests = json.RawMessage("[]")
		}
		params = append(params, requests)
	}
	return "engine_newPayloadV" + strconv.Itoa(version), params
}
