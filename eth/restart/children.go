// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"context"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
)

// maxChildren bounds how many blocks are kept over a stop that were answered VALID and have not become the head. Usually there is
// one at most.
const maxChildren = 8

// children returns the blocks of the journal that may not be below the head, oldest first. op-geth keeps no state that does
// not lead to the head over any stop, but their consensus client knows them, sends them no more, and makes one of them
// the head.
func (c *contents) children(head *types.Header) []*types.Block {
	var blocks []*types.Block
	for _, hash := range c.newest(maxChildren) {
		if block := c.block(hash); block != nil && block.Number().Cmp(head.Number) >= 0 && hash != head.Hash() {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// bringChildren makes the states of such blocks.
func (r *replay) bringChildren(blocks []*types.Block) {
	for _, block := range blocks {
		parent := r.chain.GetHeaderByHash(block.ParentHash())
		if parent == nil || !r.chain.HasState(parent.Root) || r.chain.HasState(block.Root()) {
			continue
		}
		if err := r.remake(context.Background(), parent.Root, block); err != nil {
			log.Error("A block that was not the head yet cannot be executed again", "number", block.Number(), "hash", block.Hash(), "err", err)
		}
	}
}
