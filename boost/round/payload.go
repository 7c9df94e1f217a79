// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
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

	bare bool // no envelope
}

// Names of the members that have a meaning, the required ones first.
var (
	payloadNames = []string{
		"blockHash", "parentHash", "stateRoot", "blockNumber", "gasUsed", "gasLimit", "timestamp", "prevRandao",
		"feeRecipient", "extraData", "transactions",
		"withdrawals", "receiptsRoot", "logsBloom", "baseFeePerGas", "blobGasUsed", "excessBlobGas", "withdrawalsRoot",
	}
	envelopeNames = []string{
		"executionPayload", "parentBeaconBlockRoot", "executionRequests", "blockValue", "blobsBundle", "shouldOverrideBuilder",
	}
)

const requiredNames = 11

// ParsePayload reads a result of engine_getPayload of any version, enveloped or bare, which must be
// well-formed JSON. A key that encoding/json takes for another one, which op-node and op-geth read with, is
// refused: a block must not be one thing here and another one there. Error: ErrMalformed.
func ParsePayload(result json.RawMessage) (*Payload, error) {
	p := new(Payload)
	if _, err := unambiguous(walk(result), envelopeNames, p.envelope); err != nil {
		return nil, err
	}
	if p.Execution == nil {
		p.Execution, p.bare = result, true // version 1 has no envelope
	}
	met, err := unambiguous(walk(p.Execution), payloadNames, p.field)
	if err == nil {
		err = met.Require(rules, payloadNames[:requiredNames]...)
	}
	if err != nil {
		return nil, fmt.Errorf("execution payload: %w", err)
	}
	return p, nil
}

// unambiguous calls member for the members of an object that have one of the names. Every reader must understand
// them alike: none may appear twice, or in another case.
func unambiguous(w *walker, names []string, member func(name string, w *walker) error) (met jsonwalk.Seen, err error) {
	count := 0
	err = w.Object(func(key []byte) error {
		if count++; count > maxMembers {
			return fmt.Errorf("%w: more than %d members", ErrMalformed, maxMembers)
		}
		bit, folded := jsonwalk.Match(names, key)
		switch {
		case bit < 0:
			return w.Skip()
		case folded:
			return fmt.Errorf("%w: %q differs from %s in case only", ErrMalformed, key, names[bit])
		}
		if err := met.Mark(rules, bit, key); err != nil {
			return err
		}
		return jsonwalk.InField(key, member(names[bit], w))
	})
	return met, err
}

// envelope reads one member of the envelope.
func (p *Payload) envelope(name string, w *walker) (err error) {
	if w.Null() {
		return nil
	}
	switch name {
	case "executionPayload":
		p.Execution, err = w.Raw()
	case "executionRequests":
		p.ExecutionRequests, err = w.Raw()
	case "parentBeaconBlockRoot":
		p.ParentBeaconBlockRoot, err = w.hash()
	default:
		err = w.Skip()
	}
	return err
}

// field reads one member of the execution payload.
func (p *Payload) field(name string, w *walker) (err error) {
	switch name {
	case "blockHash":
		err = w.Fixed(p.BlockHash[:])
	case "parentHash":
		err = w.Fixed(p.ParentHash[:])
	case "stateRoot":
		err = w.Fixed(p.StateRoot[:])
	case "blockNumber":
		p.Number, err = w.Quantity()
	case "gasUsed":
		p.GasUsed, err = w.Quantity()
	case "gasLimit":
		p.GasLimit, err = w.Quantity()
	case "timestamp":
		p.Timestamp, err = w.Quantity()
	case "prevRandao":
		err = w.Fixed(p.PrevRandao[:])
	case "feeRecipient":
		err = w.Fixed(p.FeeRecipient[:])
	case "extraData":
		p.ExtraData, err = w.Bytes()
	case "transactions":
		var list [][]byte
		list, err = w.hexList()
		p.Transactions = make([]json.RawMessage, len(list))
		for i, tx := range list {
			p.Transactions[i] = tx
		}
	case "withdrawals":
		if !w.Null() {
			p.Withdrawals, err = w.Raw()
		}
	default:
		err = w.Skip()
	}
	return err
}

// Fits checks that op-node can use the result as one of engine_getPayload in a version: it reads an envelope,
// and takes the parent beacon root from there. That the block is valid says nothing of either. Error:
// ErrMalformed.
func (p *Payload) Fits(version int) error {
	switch {
	case version >= versionCanyon && p.bare:
		return fmt.Errorf("%w: version %d has an envelope", ErrMalformed, version)
	case version >= versionEcotone && p.ParentBeaconBlockRoot == nil:
		return fmt.Errorf("%w: version %d has a parent beacon root", ErrMalformed, version)
	}
	return nil
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
