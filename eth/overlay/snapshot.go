// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"
)

// Snapshot is the block under construction after one flashblock: header, transactions, receipts, logs and
// state, all of the same moment. It is immutable; whoever holds one gets one consistent answer. Nothing
// reachable from its fields may be modified.
type Snapshot struct {
	PayloadID  engine.PayloadID
	Index      uint64        // of the newest flashblock in it
	Header     *types.Header // state root as the stream tells it, no transactions root; it has no hash
	Txs        types.Transactions
	Receipts   types.Receipts // complete but for the block hash, which is zero
	Senders    []common.Address
	Incomplete bool // a flashblock is missing behind it: the last good prefix of the block

	// Parent is the snapshot of the block before if that is not canonical yet, nil if this block stands on
	// the canonical head.
	Parent *Snapshot

	Arrived   time.Time // the newest flashblock's arrival
	Published time.Time

	fresh   int // transactions of the newest flashblock
	lookup  *txIndex
	block   *lazyBlock
	store   *store
	version uint64
}

// lazyBlock is a snapshot's block, made when it is first asked for.
type lazyBlock struct {
	once  sync.Once
	block *types.Block
}

// Number is the number of the block.
func (s *Snapshot) Number() uint64 { return s.Header.Number.Uint64() }

// State opens the state after the newest flashblock. Each call returns one of its own. It fails when
// the anchor's state is no longer kept, a hundred blocks and more later.
func (s *Snapshot) State() (*state.StateDB, error) { return s.store.stateDB(s.version) }

// Anchor is the canonical block that the state stands on.
func (s *Snapshot) Anchor() *types.Header { return s.store.anchor }

// Fresh returns the index of the first transaction of the newest flashblock.
func (s *Snapshot) Fresh() int { return len(s.Txs) - s.fresh }

// Block returns the block, with the transactions root in its header and without a meaningful hash. The
// root is computed at the first call.
func (s *Snapshot) Block() *types.Block {
	s.block.once.Do(func() {
		header := types.CopyHeader(s.Header)
		header.TxHash = types.DeriveSha(s.Txs, trie.NewStackTrie(nil))
		body := types.Body{Transactions: s.Txs}
		if header.WithdrawalsHash != nil {
			body.Withdrawals = types.Withdrawals{}
		}
		s.block.block = types.NewBlockWithHeader(header).WithBody(body)
	})
	return s.block.block
}

// Find returns the snapshot, this one or a pending ancestor, that holds a transaction, and its index in
// it.
func (s *Snapshot) Find(tx common.Hash) (*Snapshot, int, bool) {
	for at := s; at != nil; at = at.Parent {
		if i, ok := at.lookup.find(tx, len(at.Txs)); ok {
			return at, i, true
		}
	}
	return nil, 0, false
}

// Ancestors returns the pending blocks from the oldest to this one.
func (s *Snapshot) Ancestors() []*Snapshot {
	var list []*Snapshot
	for at := s; at != nil; at = at.Parent {
		list = append(list, at)
	}
	slices.Reverse(list)
	return list
}

// AncestorHeader returns the header of the pending ancestor that its child names by hash, nil if there is
// none. BLOCKHASH on top of the snapshot needs it, as the chain does not know these blocks yet.
func (s *Snapshot) AncestorHeader(hash common.Hash) *types.Header {
	for at := s; at.Parent != nil; at = at.Parent {
		if at.Header.ParentHash == hash {
			return at.Parent.Header
		}
	}
	return nil
}

// Logs returns the logs of the block in order.
func (s *Snapshot) Logs() []*types.Log {
	var logs []*types.Log
	for _, receipt := range s.Receipts {
		logs = append(logs, receipt.Logs...)
	}
	return logs
}

// leads reports whether the snapshot is ahead of a canonical head and on its branch.
func (s *Snapshot) leads(number uint64, hash common.Hash) bool {
	at := s
	for at.Number() > number+1 {
		if at = at.Parent; at == nil {
			return false
		}
	}
	return at.Number() == number+1 && at.Header.ParentHash == hash
}

// sameOutcome reports whether two executions of a block's flashblocks gave the same.
func (s *Snapshot) sameOutcome(o *Snapshot) bool {
	return s.PayloadID == o.PayloadID && s.Index == o.Index && len(s.Txs) == len(o.Txs) && s.outcome() == o.outcome()
}
