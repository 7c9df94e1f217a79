// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// CapabilitiesAPI is the op namespace.
type CapabilitiesAPI struct{}

// SupportedCapabilities serves op_supportedCapabilities (Flashblocks specification, RPC).
func (*CapabilitiesAPI) SupportedCapabilities() []string { return []string{"flashblocksv1"} }

// Position tells which flashblock "pending" stands for.
type Position struct {
	BlockNumber hexutil.Uint64   `json:"blockNumber"`
	Index       hexutil.Uint64   `json:"index"`
	ID          engine.PayloadID `json:"id"` // of the attempt at the block: the same for all its flashblocks
	ParentHash  common.Hash      `json:"parentHash"`
	Incomplete  bool             `json:"incomplete,omitempty"` // a flashblock behind it is missing
}

// PositionOf returns the position of a snapshot, nil for none.
func PositionOf(s *overlay.Snapshot) *Position {
	if s == nil {
		return nil
	}
	return &Position{
		BlockNumber: hexutil.Uint64(s.Number()),
		Index:       hexutil.Uint64(s.Index),
		ID:          s.PayloadID,
		ParentHash:  s.Header.ParentHash,
		Incomplete:  s.Incomplete,
	}
}

// position returns the view's position, nil if pending is latest.
func (v *view) position() *Position { return PositionOf(v.snap) }

// reached reports whether the view is at a position or behind it.
func (v *view) reached(number, index, head uint64) bool {
	if head >= number {
		return true
	}
	return v.snap != nil && (v.snap.Number() > number || v.snap.Number() == number && v.snap.Index >= index)
}

// PositionAPI is the part of the flashblocks namespace with which clients learn what pending answers stand
// for, and see to it that a node is not behind another one they have read from.
type PositionAPI struct {
	b     *Backend
	reads *rpc.Server
}

// newPositionAPI makes the API, with those of the services to read from that are of the eth namespace.
func newPositionAPI(b *Backend, services []rpc.API) (*PositionAPI, error) {
	api := &PositionAPI{b: b, reads: rpc.NewServer()}
	for _, service := range services {
		if service.Namespace != "eth" {
			continue
		}
		if err := api.reads.RegisterName(service.Namespace, service.Service); err != nil {
			return nil, err
		}
	}
	return api, nil
}

// GetPosition serves flashblocks_getPosition: the flashblock that pending stands for, null while pending
// is latest.
func (api *PositionAPI) GetPosition(ctx context.Context) *Position { return api.b.view(ctx).position() }

// WaitForPosition serves flashblocks_waitForPosition: it answers as flashblocks_getPosition does once
// pending has reached the flashblock of the block, or the block is canonical. After the timeout in
// milliseconds, with the default and the limit of eth_sendRawTransactionSync, it answers with error code 4
// and the position as data.
func (api *PositionAPI) WaitForPosition(ctx context.Context, number, index hexutil.Uint64, timeout *milliseconds) (*Position, error) {
	v, err := api.b.await(ctx, uint64(number), uint64(index), timeout)
	if err != nil {
		return nil, err
	}
	return v.position(), nil
}

// await waits until pending has reached a position, and returns the view that has.
func (b *Backend) await(ctx context.Context, number, index uint64, timeout *milliseconds) (*view, error) {
	heads := make(chan core.ChainHeadEvent, syncHeads)
	headSub := b.SubscribeChainHeadEvent(heads)
	defer headSub.Unsubscribe()
	sub := b.source.Subscribe()
	defer sub.Unsubscribe()
	events := sub.Events()

	ctx, cancel := context.WithTimeout(ctx, timeout.duration(b.RPCTxSyncDefaultTimeout(), b.RPCTxSyncMaxTimeout()))
	defer cancel()
	for {
		v := b.current()
		if v.reached(number, index, b.CurrentBlock().Number.Uint64()) {
			return v, nil
		}
		select {
		case _, ok := <-events:
			if !ok {
				events = nil
			}
		case <-heads:
		case err := <-headSub.Err():
			return nil, errors.Join(errStopping, err)
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, &positionTimeoutError{number: number, index: index, reached: v.position()}
			}
			return nil, ctx.Err()
		}
	}
}
