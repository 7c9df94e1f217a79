// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// maxUnsettled is how many blocks a v0 subscription waits to see sealed. Pending is never that far ahead of
// the canonical chain.
const maxUnsettled = 16

// FlashblocksAPI serves the v0 notifications as a subscription of the node.
type FlashblocksAPI struct {
	feed *Feed
}

// Flashblocks serves flashblocks_subscribe("flashblocks"): the params objects of the notifications that the
// v0 stream carries (flashblocks.Notification), as this node has executed them. A block that becomes
// canonical is closed with sealed, one that does not with reorg, and the loss of every upstream with
// disconnected.
func (api *FlashblocksAPI) Flashblocks(ctx context.Context) (*rpc.Subscription, error) {
	return api.feed.subscribe(ctx, &v0Consumer{feed: api.feed})
}

// v0Consumer delivers v0 notifications.
type v0Consumer struct {
	feed    *Feed
	pending []*overlay.Snapshot // the newest of every block not settled yet, oldest first
}

var _ noticeConsumer = (*v0Consumer)(nil)

func (c *v0Consumer) begin(at *overlay.Snapshot) {
	if at != nil {
		c.pending = at.Ancestors()
	}
}

func (c *v0Consumer) lost(last flashblocks.FlashblockID) any {
	return flashblocks.NewDisconnectNotification(last)
}

func (c *v0Consumer) event(_ context.Context, ev overlay.Event) ([]any, error) {
	items := c.settle(ev)
	if !ev.Fresh {
		return items, nil
	}
	notification, err := c.feed.rendered.of(c.feed.config, ev.Snapshot).notification()
	if err != nil {
		return items, err
	}
	return append(items, notification), nil
}

// settle closes the blocks that are not pending any more, and takes over those that are.
func (c *v0Consumer) settle(ev overlay.Event) []any {
	var now []*overlay.Snapshot
	if ev.Snapshot != nil {
		now = ev.Snapshot.Ancestors()
	}
	var (
		items []any
		open  []*overlay.Snapshot
	)
	for _, s := range c.pending {
		if !has(now, s) && !has(ev.Withdrawn, s) {
			switch block := c.feed.chain.GetBlockByNumber(s.Number()); {
			case block == nil:
				open = append(open, s) // its canonical block is still to come
			case sealedFrom(block, s):
				items = append(items, flashblocks.NewSealedNotification(baseOf(s), s.Index, block.Root(), block.GasUsed()))
			default:
				items = append(items, flashblocks.NewReorgNotification(baseOf(s), s.Index))
			}
		}
	}
	for _, s := range ev.Withdrawn {
		items = append(items, flashblocks.NewReorgNotification(baseOf(s), s.Index))
	}
	c.pending = append(open, now...)
	if extra := len(c.pending) - maxUnsettled; extra > 0 {
		c.pending = c.pending[extra:]
	}
	return items
}

// has reports whether a list has a snapshot of the same attempt.
func has(list []*overlay.Snapshot, s *overlay.Snapshot) bool {
	return slices.ContainsFunc(list, func(o *overlay.Snapshot) bool { return o.PayloadID == s.PayloadID })
}

// sealedFrom reports whether a block begins with everything that was preconfirmed of it.
func sealedFrom(block *types.Block, s *overlay.Snapshot) bool {
	txs := block.Transactions()
	if block.ParentHash() != s.Header.ParentHash || len(txs) < len(s.Txs) {
		return false
	}
	for i, tx := range s.Txs {
		if txs[i].Hash() != tx.Hash() {
			return false
		}
	}
	return true
}

// baseOf returns what notifications take of a block's base.
func baseOf(s *overlay.Snapshot) *flashblocks.Base {
	return &flashblocks.Base{BlockNumber: s.Number(), ParentHash: s.Header.ParentHash, Timestamp: s.Header.Time}
}

// notification returns the v0 notification of the newest flashblock.
func (r *rendering) notification() (json.RawMessage, error) {
	return r.v0.get(func() (json.RawMessage, error) {
		s := r.snap
		n := &flashblocks.Notification{
			Index: s.Index, BlockNumber: s.Number(), ParentHash: s.Header.ParentHash, Timestamp: s.Header.Time,
			StateRoot: s.Header.Root, GasUsed: s.Header.GasUsed,
		}
		for i := s.Fresh(); i < len(s.Txs); i++ {
			raw, err := s.Txs[i].MarshalBinary()
			if err != nil {
				return nil, err
			}
			n.Transactions = append(n.Transactions, raw)
			n.Receipts = append(n.Receipts, flashblocks.Receipt{TxHash: s.Txs[i].Hash(), Receipt: s.Receipts[i]})
		}
		return n.AppendParams(nil), nil
	})
}
