// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package round keeps the sidecar's block building rounds: which build the local node and the builder were
// asked for, what flashblocks came of it, and what of them was published. It turns a round's flashblocks
// into the answer of engine_getPayload by splicing the wire's own text.
package round

import (
	"bytes"
	"encoding/json"
	"fmt"

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

	rest []json.RawMessage // parameters behind the attributes
}

// ParseRequest reads the parameters of engine_forkchoiceUpdatedVx, which must be well-formed JSON. Unknown
// keys are kept in the raw fields and otherwise ignored. Errors: ErrNoAttributes, ErrMalformed.
func ParseRequest(method string, params []json.RawMessage) (*Request, error) {
	if len(params) == 0 {
		return nil, fmt.Errorf("%w: no parameters", ErrMalformed)
	}
	if len(params) < 2 || isNull(bytes.TrimSpace(params[1])) {
		return nil, ErrNoAttributes
	}
	r := &Request{Method: method, State: params[0], Attributes: params[1], rest: params[2:]}
	headed := false
	err := eachMember(r.State, func(key, value []byte) error {
		if string(key) != "headBlockHash" {
			return nil
		}
		headed = true
		return inField(key, fixed(r.Head[:], value))
	})
	if err != nil {
		return nil, fmt.Errorf("forkchoice state: %w", err)
	}
	if !headed {
		return nil, fmt.Errorf("%w: forkchoice state without headBlockHash", ErrMalformed)
	}
	var met keys
	err = eachMember(r.Attributes, func(key, value []byte) error {
		bit, err := r.attribute(key, value)
		if err != nil {
			return inField(key, err)
		}
		if bit < 0 {
			return nil
		}
		return met.mark(bit, key)
	})
	if err == nil {
		err = met.require("timestamp", "prevRandao", "suggestedFeeRecipient")
	}
	if err != nil {
		return nil, fmt.Errorf("payload attributes: %w", err)
	}
	return r, nil
}

// attribute reads one member of the attributes; the bit is negative for what is unknown or absent.
func (r *Request) attribute(key, value []byte) (bit int, err error) {
	switch string(key) {
	case "timestamp":
		r.Timestamp, err = quantity(value)
		return 0, err
	case "prevRandao":
		return 1, fixed(r.PrevRandao[:], value)
	case "suggestedFeeRecipient":
		return 2, fixed(r.FeeRecipient[:], value)
	}
	if isNull(value) {
		return -1, nil
	}
	switch string(key) {
	case "noTxPool":
		r.NoTxPool, err = boolean(value)
		return 3, err
	case "gasLimit":
		r.GasLimit, err = optional(value)
		return 4, err
	case "transactions":
		list, err := hexList(value)
		for _, tx := range list {
			r.Transactions = append(r.Transactions, tx)
		}
		return 5, err
	case "withdrawals":
		r.Withdrawals = value
		return 6, nil
	case "parentBeaconBlockRoot":
		r.BeaconRoot, err = fixedHash(value)
		return 7, err
	case "eip1559Params":
		r.EIP1559Params, err = data(value)
		return 8, err
	case "minBaseFee":
		r.MinBaseFee, err = optional(value)
		return 9, err
	}
	return -1, nil
}

func optional(value []byte) (*uint64, error) {
	n, err := quantity(value)
	return &n, err
}

// Rebuild returns the parameters of the forkchoice update that makes the local node build the same block
// from the given transactions alone: same state and attributes, transactions replaced, noTxPool set.
// Everything else is passed on as it came, unknown keys included.
func (r *Request) Rebuild(txs []json.RawMessage) []json.RawMessage {
	size := len(r.Attributes) + 64
	for _, tx := range txs {
		size += len(tx) + 1
	}
	buf := append(make([]byte, 0, size), '{')
	// The attributes were walked before, so nothing can fail here.
	_ = eachMember(r.Attributes, func(key, value []byte) error {
		switch string(key) {
		case "transactions", "noTxPool":
			return nil
		}
		name, _ := json.Marshal(string(key)) //nolint:errchkjson // a string
		buf = append(append(buf, name...), ':')
		buf = append(append(buf, value...), ',')
		return nil
	})
	buf = append(buf, `"noTxPool":true,"transactions":[`...)
	for i, tx := range txs {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, tx...)
	}
	buf = append(buf, "]}"...)
	return append([]json.RawMessage{r.State, buf}, r.rest...)
}
