// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
)

// candidate is a block of the builder's that may be returned, or why there is none.
type candidate struct {
	result json.RawMessage // of engine_getPayload
	block  *round.Payload
	err    error
	reason round.Reason // of err

	// hashed says that the block's hash is known to be that of its fields.
	hashed bool

	// blame is what the builder did not do, though there may be a block: one that was rescued.
	blame error
}

func failed(reason round.Reason, err error) candidate {
	return candidate{err: err, reason: reason, blame: err}
}

// innocent is failed if it was not the builder who failed.
func innocent(reason round.Reason, err error) candidate { return candidate{err: err, reason: reason} }

var errBroken = errors.New("the builder's block broke its reader")

// guarded is for a builder that does its worst: should anything that it sent break a reader, that is the end of
// its block and not of the process.
func (f *finder) guarded(id engine.PayloadID, find func() candidate) (c candidate) {
	defer func() {
		if broken := recover(); broken != nil {
			f.log.Error("Builder's block broke its reader, please report this", "payload", id, "panic", broken, "stack", string(debug.Stack()))
			c = failed(round.ReasonOther, fmt.Errorf("%w: %v", errBroken, broken))
		}
	}()
	return find()
}
