// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package round keeps the sidecar's block building rounds: which build the local node and the builder were
// asked for, what flashblocks came of it, and what of them was published. It turns a round's flashblocks
// into the answer of engine_getPayload by splicing the wire's own text.
package round

import (
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
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
	if len(params) < 2 || walk(params[1]).Null() {
		return nil, ErrNoAttributes
	}
	r := &Request{Method: method, State: params[0], Attributes: params[1], rest: params[2:]}
	headed := false
	w := walk(r.State)
	err := w.Object(func(key []byte) error {
		if string(key) != "headBlockHash" {
			return w.Skip()
		}
		headed = true
		return jsonwalk.InField(key, w.Fixed(r.Head[:]))
	})
	if err != nil {
		return nil, fmt.Errorf("forkchoice state: %w", err)
	}
	if !headed {
		return nil, fmt.Errorf("%w: forkchoice state without headBlockHash", ErrMalformed)
	}
	var met jsonwalk.Seen
	w = walk(r.Attributes)
	err = w.Object(func(key []byte) error {
		bit, err := r.attribute(key, w)
		if err != nil {
			return jsonwalk.InField(key, err)
		}
		if bit < 0 {
			return nil
		}
		return met.Mark(rules, bit, key)
	})
	if err == nil {
		err = met.Require(rules, "timestamp", "prevRandao", "suggestedFeeRecipient")
	}
	if err != nil {
		return nil, fmt.Errorf("payload attributes: %w", err)
	}
	return r, nil
}

// attribute reads one member of the attributes; the bit is negative for what is unknown or absent.
func (r *Request) attribute(key []byte, w *walker) (bit int, err error) {
	switch string(key) {
	case "timestamp":
		r.Timestamp, err = w.Quantity()
		return 0, err
	case "prevRandao":
		return 1, w.Fixed(r.PrevRandao[:])
	case "suggestedFeeRecipient":
		return 2, w.Fixed(r.FeeRecipient[:])
	}
	if w.Null() {
		return -1, nil
	}
	switch string(key) {
	case "noTxPool":
		r.NoTxPool, err = w.Bool()
		return 3, err
	case "gasLimit":
		r.GasLimit, err = optional(w)
		return 4, err
	case "transactions":
		list, err := w.hexList()
		for _, tx := range list {
			r.Transactions = append(r.Transactions, tx)
		}
		return 5, err
	case "withdrawals":
		r.Withdrawals, err = w.Raw()
		return 6, err
	case "parentBeaconBlockRoot":
		r.BeaconRoot, err = w.hash()
		return 7, err
	case "eip1559Params":
		r.EIP1559Params, err = w.Bytes()
		return 8, err
	case "minBaseFee":
		r.MinBaseFee, err = optional(w)
		return 9, err
	}
	return -1, w.Skip()
}

func optional(w *walker) (*uint64, error) {
	n, err := w.Quantity()
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
	w := walk(r.Attributes)
	// The attributes were walked before, so nothing can fail here.
	_ = w.Object(func(key []byte) error {
		value, err := w.Raw()
		switch string(key) {
		case "transactions", "noTxPool":
			return err
		}
		name, _ := json.Marshal(string(key)) //nolint:errchkjson // a string
		buf = append(append(buf, name...), ':')
		buf = append(append(buf, value...), ',')
		return err
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
