// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"context"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// EthAPI adds kinds to eth_subscribe, with the names and forms of Base's node. The kinds of
// op-geth (newHeads, logs, newPendingTransactions, syncing, transactionReceipts) stay op-geth's.
type EthAPI struct {
	feed *Feed
}

// NewFlashblocks serves eth_subscribe("newFlashblocks"): the whole pending block with its transactions, once
// per flashblock.
func (api *EthAPI) NewFlashblocks(ctx context.Context) (*rpc.Subscription, error) {
	return api.feed.subscribe(ctx, &blockConsumer{feed: api.feed})
}

// PendingLogs serves eth_subscribe("pendingLogs", filter): every log of a flashblock that passes the
// filter, one per notification, and the same again with removed set if its block will not become canonical
// as it was preconfirmed.
func (api *EthAPI) PendingLogs(ctx context.Context, filter *logFilter) (*rpc.Subscription, error) {
	return api.feed.subscribe(ctx, &logConsumer{filter: filter})
}

// NewFlashblockTransactions serves eth_subscribe("newFlashblockTransactions", choice): the transactions of
// every flashblock, one per notification; see transactionChoice.
func (api *EthAPI) NewFlashblockTransactions(ctx context.Context, choice *transactionChoice) (*rpc.Subscription, error) {
	if choice == nil {
		choice = new(transactionChoice)
	}
	return api.feed.subscribe(ctx, &transactionConsumer{feed: api.feed, choice: *choice})
}

// blockConsumer delivers whole blocks.
type blockConsumer struct{ feed *Feed }

func (c *blockConsumer) begin(*overlay.Snapshot) {}

func (c *blockConsumer) event(ctx context.Context, ev overlay.Event) ([]any, error) {
	if !ev.Fresh {
		return nil, nil
	}
	block, err := c.feed.rendered.of(c.feed.config, ev.Snapshot).wholeBlock(ctx)
	if err != nil {
		return nil, err
	}
	return []any{block}, nil
}

// transactionConsumer delivers transactions.
type transactionConsumer struct {
	feed   *Feed
	choice transactionChoice
}

func (c *transactionConsumer) begin(*overlay.Snapshot) {}

func (c *transactionConsumer) event(ctx context.Context, ev overlay.Event) ([]any, error) {
	if !ev.Fresh {
		return nil, nil
	}
	var (
		s     = ev.Snapshot
		first = s.Fresh()
		items []any
	)
	if !c.choice.full {
		for _, tx := range s.Txs[first:] {
			items = append(items, tx.Hash())
		}
		return items, nil
	}
	txs, err := c.feed.rendered.of(c.feed.config, s).freshTransactions(ctx)
	if err != nil {
		return nil, err
	}
	for i, tx := range txs {
		if c.choice.filter == nil || c.choice.filter.matchesAny(s.Receipts[first+i].Logs) {
			items = append(items, tx)
		}
	}
	return items, nil
}

// logConsumer delivers logs.
type logConsumer struct {
	filter *logFilter
	start  *overlay.Snapshot // what was pending already when the subscription began
}

func (c *logConsumer) begin(at *overlay.Snapshot) { c.start = at }

func (c *logConsumer) event(_ context.Context, ev overlay.Event) ([]any, error) {
	var (
		items []any
		start = c.start
	)
	if len(ev.Withdrawn) > 0 {
		c.start = nil // what comes under the same payload id from now on is told from its beginning
	}
	for _, s := range ev.Withdrawn {
		for _, receipt := range s.Receipts[toldBefore(start, s):] {
			for _, l := range receipt.Logs {
				if c.filter.matches(l) {
					removed := *l
					removed.Removed = true
					items = append(items, &removed)
				}
			}
		}
	}
	if !ev.Fresh {
		return items, nil
	}
	for _, receipt := range ev.Snapshot.Receipts[ev.Snapshot.Fresh():] {
		for _, l := range receipt.Logs {
			if c.filter.matches(l) {
				items = append(items, l)
			}
		}
	}
	return items, nil
}

// toldBefore returns how many transactions of a block were preconfirmed already at start, before the
// subscription began.
func toldBefore(start, s *overlay.Snapshot) int {
	for at := start; at != nil; at = at.Parent {
		if at.PayloadID == s.PayloadID {
			return min(len(at.Txs), len(s.Txs))
		}
	}
	return 0
}
