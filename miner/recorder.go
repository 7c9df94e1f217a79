// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"maps"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/vm"
)

// recorder is a StateDB that remembers which keys were written since the last capture. It notes keys
// only; a reverted write leaves a key whose value has not changed, and values are read when the
// transactions are final, so that nothing of a reverted call can leak into a diff.
//
// Every mutator of vm.StateDB must be overridden here. The upstream canary lists that interface and
// fails when it gains a method.
type recorder struct {
	*state.StateDB

	touched map[common.Address]*touchedAccount
	order   []common.Address // first touch first, so that diffs are deterministic
	doomed  []common.Address // self-destructed in the current transaction, unless reverted
	last    *touchedAccount  // of lastAddr, as accesses come in runs
	lastAt  common.Address

	captured []*StateDiff  // oldest first
	roots    *storageRoots // is told of what changes storage, nil if nobody asks
}

type touchedAccount struct {
	slots     map[common.Hash]struct{}
	code      bool
	destroyed bool
}

var _ vm.StateDB = (*recorder)(nil)

func newRecorder(db *state.StateDB) *recorder {
	return &recorder{StateDB: db, touched: make(map[common.Address]*touchedAccount)}
}

func (r *recorder) touch(addr common.Address) *touchedAccount {
	if r.last != nil && r.lastAt == addr {
		return r.last
	}
	acct := r.touched[addr]
	if acct == nil {
		acct = new(touchedAccount)
		r.touched[addr] = acct
		r.order = append(r.order, addr)
	}
	r.last, r.lastAt = acct, addr
	return acct
}

// CreateAccount implements vm.StateDB.
func (r *recorder) CreateAccount(addr common.Address) {
	r.touch(addr)
	r.StateDB.CreateAccount(addr)
}

// CreateContract implements vm.StateDB.
func (r *recorder) CreateContract(addr common.Address) {
	r.touch(addr)
	r.StateDB.CreateContract(addr)
}

// SubBalance implements vm.StateDB.
func (r *recorder) SubBalance(addr common.Address, amount *uint256.Int, reason tracing.BalanceChangeReason) uint256.Int {
	r.touch(addr)
	return r.StateDB.SubBalance(addr, amount, reason)
}

// AddBalance implements vm.StateDB.
func (r *recorder) AddBalance(addr common.Address, amount *uint256.Int, reason tracing.BalanceChangeReason) uint256.Int {
	r.touch(addr)
	return r.StateDB.AddBalance(addr, amount, reason)
}

// SetNonce implements vm.StateDB.
func (r *recorder) SetNonce(addr common.Address, nonce uint64, reason tracing.NonceChangeReason) {
	r.touch(addr)
	r.StateDB.SetNonce(addr, nonce, reason)
}

// SetCode implements vm.StateDB.
func (r *recorder) SetCode(addr common.Address, code []byte, reason tracing.CodeChangeReason) []byte {
	r.touch(addr).code = true
	return r.StateDB.SetCode(addr, code, reason)
}

// SetState implements vm.StateDB.
func (r *recorder) SetState(addr common.Address, key, value common.Hash) common.Hash {
	acct := r.touch(addr)
	if acct.slots == nil {
		acct.slots = make(map[common.Hash]struct{})
	}
	acct.slots[key] = struct{}{}
	if r.roots != nil {
		r.roots.wrote(addr, key)
	}
	return r.StateDB.SetState(addr, key, value)
}

// SelfDestruct implements vm.StateDB.
func (r *recorder) SelfDestruct(addr common.Address) {
	r.touch(addr)
	r.doomed = append(r.doomed, addr)
	r.StateDB.SelfDestruct(addr)
}

// Finalise implements vm.StateDB. It is the moment at which a self-destruct that was not reverted
// removes the account and all its storage.
func (r *recorder) Finalise(deleteEmptyObjects bool) {
	for _, addr := range r.doomed {
		if r.HasSelfDestructed(addr) {
			acct := r.touch(addr)
			acct.destroyed = true
			acct.code = true
			if r.roots != nil {
				r.roots.cleared(addr)
			}
		}
	}
	r.doomed = r.doomed[:0]
	r.StateDB.Finalise(deleteEmptyObjects)
}

// capture returns the current values of everything written since the last capture. It must be called
// between transactions.
func (r *recorder) capture() *StateDiff {
	diff := &StateDiff{Accounts: make([]AccountDiff, len(r.order))}
	for i, addr := range r.order {
		r.captureAccount(&diff.Accounts[i], addr, r.touched[addr])
	}
	clear(r.touched)
	r.order = r.order[:0]
	r.last = nil
	r.captured = append(r.captured, diff)
	return diff
}

// written returns the storage slots of an account that were written since the recording began, with some whose
// write was reverted.
func (r *recorder) written(addr common.Address) map[common.Hash]struct{} {
	keys := make(map[common.Hash]struct{})
	for _, diff := range r.captured {
		for i := range diff.Accounts {
			if acct := &diff.Accounts[i]; acct.Address == addr {
				for k := range acct.Storage {
					keys[acct.Storage[k].Key] = struct{}{}
				}
			}
		}
	}
	if acct := r.touched[addr]; acct != nil {
		maps.Copy(keys, acct.slots)
	}
	return keys
}

func (r *recorder) captureAccount(dst *AccountDiff, addr common.Address, acct *touchedAccount) {
	dst.Address = addr
	dst.Destroyed = acct.destroyed
	dst.Exists = r.Exist(addr)
	if !dst.Exists {
		return
	}
	dst.Balance = *r.GetBalance(addr)
	dst.Nonce = r.GetNonce(addr)
	dst.CodeHash = r.GetCodeHash(addr)
	dst.Root = r.GetStorageRoot(addr)
	if acct.code {
		dst.CodeChanged = true
		dst.Code = r.GetCode(addr)
	}
	if len(acct.slots) > 0 {
		dst.Storage = make([]StorageDiff, 0, len(acct.slots))
		for key := range acct.slots {
			dst.Storage = append(dst.Storage, StorageDiff{Key: key, Value: r.GetState(addr, key)})
		}
	}
}
