// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"context"

	"github.com/ethereum/go-ethereum/beacon/engine"
	gethminer "github.com/ethereum/go-ethereum/miner"

	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// NewFallback returns what builds the block of a failed job: op-geth's own miner executes exactly the
// transactions of the arguments, which are those of the attributes followed by those that were published.
// So the block keeps the promise of the stream although none of the builder's state is used.
func NewFallback(stock *gethminer.Miner) miner.FallbackFunc {
	return func(ctx context.Context, args *gethminer.BuildPayloadArgs) (*engine.ExecutionPayloadEnvelope, error) {
		exact := *args
		exact.NoTxPool = true // also makes op-geth build at once, and report what it cannot execute
		payload, err := stock.BuildPayload(ctx, &exact, false)
		if err != nil {
			return nil, err
		}
		envelope := payload.ResolveFull()
		if envelope == nil {
			return nil, errNoPayload
		}
		return envelope, nil
	}
}
