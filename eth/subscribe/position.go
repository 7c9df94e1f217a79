// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package subscribe

import (
	"context"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
	"github.com/ethereum/go-ethereum/flashgeth/eth/pending"
)

// Position serves flashblocks_subscribe("position"): what flashblocks_getPosition answers, once per flashblock
// and whenever else it changes, with null when pending becomes latest.
func (api *FlashblocksAPI) Position(ctx context.Context) (*rpc.Subscription, error) {
	return api.feed.subscribe(ctx, new(positionConsumer))
}

// positionConsumer delivers positions.
type positionConsumer struct {
	last *pending.Position // that the reader knows or can ask for
}

func (c *positionConsumer) begin(at *overlay.Snapshot) { c.last = pending.PositionOf(at) }

func (c *positionConsumer) event(_ context.Context, ev overlay.Event) ([]any, error) {
	last, now := c.last, pending.PositionOf(ev.Snapshot)
	c.last = now
	if !ev.Fresh && (last == now || last != nil && now != nil && *last == *now) {
		return nil, nil // the same flashblock on another canonical block
	}
	return []any{now}, nil
}
