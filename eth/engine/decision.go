// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// headers is the chain as a decision about a forkchoice sees it.
type headers interface {
	GetHeaderByHash(hash common.Hash) *types.Header
	GetHeader(hash common.Hash, number uint64) *types.Header
	GetCanonicalHash(number uint64) common.Hash
}

// Decision returns what judges a forkchoice state whose head is a block of the chain, before any of it is applied:
// the finalized and the safe block have to be known, and the head or ancestors of it (Engine API,
// forkchoiceUpdatedV1, point 5). op-geth finds out behind the new head, and about the safe block behind the new
// finalized one. The texts are op-geth's.
func Decision(chain headers) func(update engine.ForkchoiceStateV1) error {
	return func(update engine.ForkchoiceStateV1) error { return decide(chain, update) }
}

func decide(chain headers, update engine.ForkchoiceStateV1) error {
	head := chain.GetHeaderByHash(update.HeadBlockHash)
	if head == nil {
		return nil
	}
	for _, named := range []struct {
		hash             common.Hash
		unknown, foreign error
	}{
		{update.FinalizedBlockHash, errFinalUnknown, errFinalForeign},
		{update.SafeBlockHash, errSafeUnknown, errSafeForeign},
	} {
		if named.hash == (common.Hash{}) {
			continue
		}
		switch header := chain.GetHeaderByHash(named.hash); {
		case header == nil:
			return engine.InvalidForkChoiceState.With(named.unknown)
		case !descends(chain, head, header):
			return engine.InvalidForkChoiceState.With(named.foreign)
		}
	}
	return nil
}

// descends tells whether head is the given block or descends from it. It reads as many headers as head's branch is
// long.
func descends(chain headers, head, from *types.Header) bool {
	number := from.Number.Uint64()
	for at := head; at != nil && at.Number.Uint64() >= number; at = chain.GetHeader(at.ParentHash, at.Number.Uint64()-1) {
		hash := at.Hash()
		switch {
		case at.Number.Uint64() == number:
			return hash == from.Hash()
		case chain.GetCanonicalHash(at.Number.Uint64()) == hash:
			return chain.GetCanonicalHash(number) == from.Hash()
		}
	}
	return false
}
