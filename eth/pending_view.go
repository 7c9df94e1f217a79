// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/trie"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// view is what "pending" means to one request. It is shared by all requests that meet the same snapshot,
// which therefore work out its block and its receipts once. It is safe for concurrent use.
type view struct {
	config *gethparams.ChainConfig
	snap   *overlay.Snapshot // nil if pending is latest
	parent *view             // nil if the block underneath is canonical

	blockOnce sync.Once
	blockMemo *types.Block

	receiptsOnce sync.Once
	receiptsMemo types.Receipts
	receiptsErr  error
}

func newView(config *gethparams.ChainConfig, s *overlay.Snapshot) *view {
	v := &view{config: config, snap: s}
	if s.Parent != nil {
		v.parent = newView(config, s.Parent)
	}
	return v
}

// block returns the pending block with its transactions root. Its hash is not the one it will have.
func (v *view) block() *types.Block {
	v.blockOnce.Do(func() {
		header := types.CopyHeader(v.snap.Header)
		header.TxHash = types.DeriveSha(v.snap.Txs, trie.NewStackTrie(nil))
		body := v.snap.Block().Body()
		v.blockMemo = types.NewBlockWithHeader(header).WithBody(*body)
	})
	return v.blockMemo
}

// receipts returns the receipts with the fields that op-geth derives when it reads receipts from its
// database: prices and L1 fees. Their block hash is zero.
func (v *view) receipts() (types.Receipts, error) {
	v.receiptsOnce.Do(func() {
		v.receiptsMemo, v.receiptsErr = deriveReceipts(v.config, v.snap.Header, v.snap.Txs, v.snap.Receipts)
	})
	return v.receiptsMemo, v.receiptsErr
}

// receipt returns one receipt with its derived fields, at the cost of one.
func (v *view) receipt(i int) (*types.Receipt, error) {
	s := v.snap
	if i == 0 {
		derived, err := deriveReceipts(v.config, s.Header, s.Txs[:1], s.Receipts[:1])
		if err != nil {
			return nil, err
		}
		return derived[0], nil
	}
	// The L1 fees come from the block's first transaction, the gas used from the receipt before.
	derived, err := deriveReceipts(v.config, s.Header,
		types.Transactions{s.Txs[0], s.Txs[i]},
		types.Receipts{{CumulativeGasUsed: s.Receipts[i-1].CumulativeGasUsed}, s.Receipts[i]})
	if err != nil {
		return nil, err
	}
	derived[1].TransactionIndex = uint(i) //nolint:gosec // an index is not negative
	return derived[1], nil
}

// deriveReceipts returns copies with their derived fields. Logs and blooms are complete already and are
// kept out of the derivation, which would write to logs that are shared.
func deriveReceipts(config *gethparams.ChainConfig, header *types.Header, txs types.Transactions, receipts types.Receipts) (types.Receipts, error) {
	derived := make(types.Receipts, len(receipts))
	for i, receipt := range receipts {
		cpy := *receipt
		cpy.Logs = nil
		derived[i] = &cpy
	}
	if err := derived.DeriveFields(config, common.Hash{}, header.Number.Uint64(), header.Time, header.BaseFee, nil, txs); err != nil {
		return nil, err
	}
	for i, receipt := range receipts {
		derived[i].Logs, derived[i].Bloom = receipt.Logs, receipt.Bloom
	}
	return derived, nil
}

// byHash finds a pending block under the hash of block, or under the hash that its child names as parent.
func (v *view) byHash(hash common.Hash) *view {
	for at := v; at != nil && at.snap != nil; at = at.parent {
		if at.block().Hash() == hash {
			return at
		}
		if at.parent != nil && at.snap.Header.ParentHash == hash {
			return at.parent
		}
	}
	return nil
}

// byNumber finds a pending block.
func (v *view) byNumber(number rpc.BlockNumber) *view {
	for at := v; at != nil && at.snap != nil; at = at.parent {
		if number >= 0 && at.snap.Number() == uint64(number) {
			return at
		}
	}
	return nil
}

// of finds the pending block that block, a pointer the view has given out, is.
func (v *view) of(block *types.Block) *view {
	for at := v; at != nil && at.snap != nil; at = at.parent {
		if at.block() == block {
			return at
		}
	}
	return nil
}

// snapshotOf finds the snapshot whose header, a pointer the view has given out, is.
func (v *view) snapshotOf(header *types.Header) *overlay.Snapshot {
	for at := v; at != nil && at.snap != nil; at = at.parent {
		if at.snap.Header == header {
			return at.snap
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
	if !ok {
		return nil, 0, false
	}
	for at := v; at != nil; at = at.parent {
		if at.snap == s {
			return at, i, true
		}
	}
	return nil, 0, false
}
