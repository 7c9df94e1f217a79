// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// view is what "pending" means to one request. It is immutable.
type view struct {
	config *gethparams.ChainConfig
	snap   *overlay.Snapshot // nil if pending is latest
}

// base returns number and hash of the canonical block that the pending ones stand on. There has to be a
// pending block.
func (v *view) base() (uint64, common.Hash) {
	oldest := v.snap.Ancestors()[0]
	return oldest.Number() - 1, oldest.Header.ParentHash
}

// stands reports whether the pending blocks of the view stand on the canonical chain.
func (b *Backend) stands(v *view) bool {
	if v.snap == nil {
		return true
	}
	number, hash := v.base()
	return b.chain.GetCanonicalHash(number) == hash
}

// blocks yields the pending block and the pending blocks underneath, newest first.
func (v *view) blocks(yield func(*view) bool) {
	if v == nil {
		return
	}
	for s := v.snap; s != nil; s = s.Parent {
		if !yield(&view{config: v.config, snap: s}) {
			return
		}
	}
}

// byHash finds a pending block under the hash of what is known of it, or under the hash that its child
// names as parent.
func (v *view) byHash(hash common.Hash) *view {
	var named common.Hash // by the child
	for at := range v.blocks {
		if hash == named || hash == at.snap.Block().Hash() {
			return at
		}
		named = at.snap.Header.ParentHash
	}
	return nil
}

// under finds the pending block whose header, a pointer the view has given out, is.
func (v *view) under(header *types.Header) *view {
	for at := range v.blocks {
		if at.snap.Header == header {
			return at
		}
	}
	return nil
}

// find returns the pending block that holds a transaction and its index in it.
func (v *view) find(tx common.Hash) (*view, int, bool) {
	if v.snap == nil {
		return nil, 0, false
	}
	s, i, ok := v.snap.Find(tx)
	return &view{config: v.config, snap: s}, i, ok
}
