// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// pendingChain is the canonical chain with the pending blocks under a snapshot on top, for BLOCKHASH. A
// pending block is found under the hash that its child names as parent, which is the hash it will have.
type pendingChain struct {
	*core.BlockChain
	snap *overlay.Snapshot
}

var _ core.ChainContext = (*pendingChain)(nil)

// chainUnder returns the chain as the transactions of the snapshot's block see it.
func chainUnder(chain *core.BlockChain, s *overlay.Snapshot) core.ChainContext {
	return &pendingChain{BlockChain: chain, snap: s}
}

// GetHeader implements consensus.ChainHeaderReader.
func (c *pendingChain) GetHeader(hash common.Hash, number uint64) *types.Header {
	if header := c.snap.AncestorHeader(hash); header != nil {
		return header
	}
	if header := c.BlockChain.GetHeader(hash, number); header != nil || number != c.snap.Number() || hash != c.snap.Block().Hash() {
		return header
	}
	return c.snap.Header // of a block simulated on top of it
}
