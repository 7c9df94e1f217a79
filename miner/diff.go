// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
)

// StateDiff is what a run of transactions changed, as values after the last of them. It is immutable
// once captured.
type StateDiff struct {
	Accounts []AccountDiff // in order of first touch
}

// AccountDiff is the state of one touched account. It may equal the state before.
type AccountDiff struct {
	Address     common.Address
	Exists      bool // false for an account that was removed, or touched while empty
	Destroyed   bool // the account and all its earlier storage were removed on the way
	Balance     uint256.Int
	Nonce       uint64
	CodeHash    common.Hash
	CodeChanged bool
	Code        []byte      // if CodeChanged
	Root        common.Hash // of the storage before the block, empty for an account that is new in it
	Storage     []StorageDiff
}

// StorageDiff is one storage slot that was written.
type StorageDiff struct {
	Key, Value common.Hash
}

// size is the number of trie keys the diff may change.
func (d *StateDiff) size() int {
	n := len(d.Accounts)
	for i := range d.Accounts {
		n += len(d.Accounts[i].Storage)
	}
	return n
}

// apply writes the diff onto db. What it writes is not finalised, so that several diffs can be applied before
// the next hashing, which finalises them together.
func (d *StateDiff) apply(db *state.StateDB) {
	destroyed := false
	for i := range d.Accounts {
		if acct := &d.Accounts[i]; acct.Destroyed && db.Exist(acct.Address) {
			db.SelfDestruct(acct.Address)
			destroyed = true
		}
	}
	if destroyed {
		// The account must be gone before it is written again: a later creation at the same
		// address starts with empty storage.
		db.Finalise(true)
	}
	for i := range d.Accounts {
		d.Accounts[i].apply(db)
	}
}

func (d *AccountDiff) apply(db *state.StateDB) {
	if !d.Exists {
		if db.Exist(d.Address) {
			// What exists here but not after execution was removed as empty (EIP-161): it had no
			// code and no nonce, so taking its balance makes Finalise remove it again.
			db.SetBalance(d.Address, new(uint256.Int), tracing.BalanceChangeUnspecified)
		}
		return
	}
	db.SetBalance(d.Address, &d.Balance, tracing.BalanceChangeUnspecified)
	if db.GetNonce(d.Address) != d.Nonce {
		db.SetNonce(d.Address, d.Nonce, tracing.NonceChangeUnspecified)
	}
	if d.CodeChanged {
		db.SetCode(d.Address, d.Code, tracing.CodeChangeUnspecified)
	}
	for i := range d.Storage {
		db.SetState(d.Address, d.Storage[i].Key, d.Storage[i].Value)
	}
}
