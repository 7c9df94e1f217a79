// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
)

// chainContext is the canonical chain with pending blocks on top, for BLOCKHASH: their headers are found
// under the hashes that their children name as parent.
type chainContext struct {
	*core.BlockChain
	pending map[common.Hash]*types.Header
}

var _ core.ChainContext = (*chainContext)(nil)

// GetHeader implements consensus.ChainHeaderReader.
func (c *chainContext) GetHeader(hash common.Hash, number uint64) *types.Header {
	if header, ok := c.pending[hash]; ok {
		return header
	}
	return c.BlockChain.GetHeader(hash, number)
}

// contextOf returns the chain as the child of a pending block, which names it by hash, sees it.
func contextOf(chain *core.BlockChain, parent *block, hash common.Hash) core.ChainContext {
	if parent == nil {
		return chain
	}
	c := &chainContext{BlockChain: chain, pending: make(map[common.Hash]*types.Header)}
	for at := parent; at != nil; at = at.parent {
		c.pending[hash] = at.header
		hash = at.base.ParentHash
	}
	return c
}
