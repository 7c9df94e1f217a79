// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
)

// Snapshot is the block under construction after one flashblock: header, transactions, receipts, logs and
// state, all of the same moment. It is immutable; whoever holds one gets one consistent answer.
type Snapshot struct {
	PayloadID  engine.PayloadID
	Index      uint64        // of the newest flashblock in it
	Header     *types.Header // roots as far as the stream tells them; it has no hash
	Txs        types.Transactions
	Receipts   types.Receipts // block hash zero
	Senders    []common.Address
	Incomplete bool // a flashblock is missing behind it: the last good prefix of the block

	// Parent is the snapshot of the block before, complete but not canonical yet when this block's
	// first flashblock came. It is nil if the block builds on the canonical head.
	Parent *Snapshot

	Arrived   time.Time // the newest flashblock's arrival
	Published time.Time

	fresh  int // transactions of the newest flashblock
	lookup *txIndex
	reader *reader
}

// Number is the number of the block.
func (s *Snapshot) Number() uint64 { return s.Header.Number.Uint64() }

// State opens the state after the newest flashblock. Each call returns one of its own.
func (s *Snapshot) State() (*state.StateDB, error) { return s.reader.stateDB() }

// Anchor is the canonical block that the state stands on.
func (s *Snapshot) Anchor() *types.Header { return s.reader.store.anchor }

// Fresh returns the index of the first transaction of the newest flashblock.
func (s *Snapshot) Fresh() int { return len(s.Txs) - s.fresh }

// Block returns the block without a meaningful hash.
func (s *Snapshot) Block() *types.Block {
	body := types.Body{Transactions: s.Txs}
	if s.Header.WithdrawalsHash != nil {
		body.Withdrawals = types.Withdrawals{}
	}
	return types.NewBlockWithHeader(s.Header).WithBody(body)
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

// Logs returns the logs of the block in order.
func (s *Snapshot) Logs() []*types.Log {
	var logs []*types.Log
	for _, receipt := range s.Receipts {
		logs = append(logs, receipt.Logs...)
	}
	return logs
}
