// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"
	"github.com/ethereum/go-ethereum/rpc"
)

// feeView is the chain with the pending blocks of one view on top, for an oracle that serves one request:
// the node's own oracle keeps what it computes by number, which pending blocks must not get into.
type feeView struct {
	*Backend
	view *view
}

// byNumber finds a pending block.
func (f *feeView) byNumber(number rpc.BlockNumber) *view {
	for at := range f.view.blocks {
		if number >= 0 && at.snap.Number() == uint64(number) {
			return at
		}
	}
	return nil
}

// HeaderByNumber implements gasprice.OracleBackend.
func (f *feeView) HeaderByNumber(ctx context.Context, number rpc.BlockNumber) (*types.Header, error) {
	if v := f.byNumber(number); v != nil {
		return v.snap.Header, nil
	}
	return f.Backend.HeaderByNumber(ctx, number)
}

// BlockByNumber implements gasprice.OracleBackend.
func (f *feeView) BlockByNumber(ctx context.Context, number rpc.BlockNumber) (*types.Block, error) {
	if v := f.byNumber(number); v != nil {
		return v.snap.Block(), nil
	}
	return f.Backend.BlockByNumber(ctx, number)
}

// GetReceipts implements gasprice.OracleBackend.
func (f *feeView) GetReceipts(ctx context.Context, hash common.Hash) (types.Receipts, error) {
	if v := f.view.byHash(hash); v != nil {
		return v.snap.Receipts, nil
	}
	return f.Backend.GetReceipts(ctx, hash)
}

// Pending implements gasprice.OracleBackend. The oracle has no use for the state.
func (f *feeView) Pending() (*types.Block, types.Receipts, *state.StateDB) {
	return f.view.snap.Block(), f.view.snap.Receipts, nil
}

// SubscribeChainHeadEvent implements gasprice.OracleBackend. Without a subscription the oracle starts
// nothing that would outlive the request.
func (f *feeView) SubscribeChainHeadEvent(chan<- core.ChainHeadEvent) event.Subscription { return nil }
