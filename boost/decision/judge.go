// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package decision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/lru"

	"github.com/ethereum/go-ethereum/flashgeth/boost/engineapi"
)

var errNotValid = errors.New("the local execution layer does not find the builder's block valid")

// judge has the local execution layer say whether a block is valid. Nothing but VALID is good enough.
type judge struct {
	l2    Caller
	valid *lru.Cache[common.Hash, struct{}] // blocks found valid before they were asked for
}

func newJudge(l2 Caller) *judge {
	return &judge{l2: l2, valid: lru.NewCache[common.Hash, struct{}](keptHashes)}
}

// validate makes one engine_newPayload call. The error wraps errNotValid if a judgement came.
func (j *judge) validate(ctx context.Context, method string, args []json.RawMessage) error {
	resp, err := j.l2.Call(ctx, engineapi.OwnRequest(method, args...))
	if err != nil {
		return err
	}
	if resp.Error != nil {
		return resp.Error
	}
	var status engineapi.PayloadStatus
	if err := json.Unmarshal(resp.Result, &status); err != nil {
		return fmt.Errorf("answer to %s: %w", method, err)
	}
	if status.Status == engine.VALID {
		return nil
	}
	if status.Reason != nil {
		return fmt.Errorf("%w: %s, %s", errNotValid, status.Status, *status.Reason)
	}
	return fmt.Errorf("%w: %s", errNotValid, status.Status)
}

// known reports whether a block was found valid before it was asked for.
func (j *judge) known(hash common.Hash) bool {
	_, ok := j.valid.Get(hash)
	return ok
}
