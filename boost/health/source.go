// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/ethereum/go-ethereum/flashgeth/boost/jsonrpc"
)

// errNoBlock is a backend's answer that names no block.
var errNoBlock = errors.New("the backend has no latest block")

// Caller calls one backend. An error that the backend answered is in the response.
type Caller interface {
	Call(ctx context.Context, req *jsonrpc.Request) (*jsonrpc.Response, error)
}

// LatestBlock asks a backend with eth_getBlockByNumber, as the engine endpoint of every execution layer serves it.
func LatestBlock(caller Caller) Source {
	return func(ctx context.Context) (time.Time, error) {
		req := jsonrpc.NewRequest(json.RawMessage(`"health"`), "eth_getBlockByNumber", json.RawMessage(`"latest"`), json.RawMessage("false"))
		res, err := caller.Call(ctx, &req)
		if err != nil {
			return time.Time{}, err
		}
		if res.Error != nil {
			return time.Time{}, res.Error
		}
		var block *struct {
			Timestamp *hexutil.Uint64 `json:"timestamp"`
		}
		if err := json.Unmarshal(res.Result, &block); err != nil {
			return time.Time{}, fmt.Errorf("the backend's latest block cannot be read: %w", err)
		}
		if block == nil || block.Timestamp == nil {
			return time.Time{}, errNoBlock
		}
		return time.Unix(int64(*block.Timestamp), 0), nil
	}
}
