// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engineapi

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/beacon/engine"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// ErrNoPayloadID is returned for a forkchoice update that started no build.
var ErrNoPayloadID = errors.New("no payload id")

// PayloadStatus is what the sidecar reads of a judgement about a block.
type PayloadStatus struct {
	Status string  `json:"status"`
	Reason *string `json:"validationError"`
}

// forkchoiceAnswer is what the sidecar reads of the answer to a forkchoice update.
type forkchoiceAnswer struct {
	Status PayloadStatus     `json:"payloadStatus"`
	ID     *engine.PayloadID `json:"payloadId"`
}

// BuildAnswer reads the payload id of the builder's answer to a build. A builder that is still syncing may give one all
// the same. The error wraps ErrNoPayloadID if the answer has none.
func BuildAnswer(resp *jsonrpc.Response, err error) (engine.PayloadID, error) {
	parsed, err := readBuildAnswer(resp, err)
	if err != nil {
		return engine.PayloadID{}, err
	}
	return *parsed.ID, nil
}

// LocalAnswer is BuildAnswer for the local execution layer, which has to find the head valid.
func LocalAnswer(resp *jsonrpc.Response, err error) (engine.PayloadID, error) {
	parsed, err := readBuildAnswer(resp, err)
	switch {
	case err != nil:
		return engine.PayloadID{}, err
	case parsed.Status.Status != engine.VALID:
		return engine.PayloadID{}, fmt.Errorf("%w for a head that is %s", ErrNoPayloadID, parsed.Status.Status)
	}
	return *parsed.ID, nil
}

// readBuildAnswer returns an answer with a payload id.
func readBuildAnswer(resp *jsonrpc.Response, err error) (*forkchoiceAnswer, error) {
	switch {
	case err != nil:
		return nil, err
	case resp.Error != nil:
		return nil, resp.Error.Brief() // the round keeps it
	}
	parsed := new(forkchoiceAnswer)
	if err := json.Unmarshal(resp.Result, parsed); err != nil {
		return nil, fmt.Errorf("answer to a forkchoice update: %w", err)
	}
	if parsed.ID == nil {
		return nil, fmt.Errorf("%w, status %.20s", ErrNoPayloadID, parsed.Status.Status)
	}
	return parsed, nil
}

// Answer is a backend's answer as it came, for the caller who made the request. The error is for a call that got none.
func Answer(req *jsonrpc.Request, resp *jsonrpc.Response, err error) []byte {
	if err != nil {
		return jsonrpc.AppendError(nil, req.ID, Failure(err))
	}
	return resp.For(req.ID)
}

// Failure makes a JSON-RPC error of what happened. op-node takes every code it does not know for a passing failure, and
// tries again.
func Failure(err error) *jsonrpc.Error {
	var already *jsonrpc.Error
	if errors.As(err, &already) {
		return already
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInternal, Message: err.Error()}
}
