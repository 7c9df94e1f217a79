// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// store holds everything that pending flashblocks changed on top of one canonical state. Every layer
// gets a version; a reader of version v sees the newest value that is not newer than v. One goroutine
// adds layers while any number of readers look values up without locks.
//
// Adding a layer costs what the layer holds. Looking a key up costs one map access and a step for every
// newer layer that changed the same key, whatever the number of layers.
type store struct {
	anchor   *types.Header // the canonical block underneath
	reader   state.Reader  // of the anchor's state
	db       state.Database
	version  uint64   // of the newest layer; 0 is the anchor itself. Owned by the processor.
	accounts sync.Map // common.Address -> *accountVersion
	slots    sync.Map // slotKey -> *slotVersion
	codes    sync.Map // common.Hash -> []byte
}

type slotKey struct {
	addr common.Address
	slot common.Hash
}

// accountVersion is an account as one layer left it. It is immutable.
type accountVersion struct {
	version   uint64
	account   *types.StateAccount // nil if it does not exist
	destroyed uint64              // newest version, up to this one, that removed the storage; 0 for none
	older     *accountVersion
}

// slotVersion is a storage slot as one layer left it. It is immutable.
type slotVersion struct {
	version uint64
	value   common.Hash
	older   *slotVersion
}

func newStore(anchor *types.Header, db state.Database) (*store, error) {
	reader, err := db.Reader(anchor.Root)
	if err != nil {
		return nil, err
	}
	return &store{anchor: anchor, reader: reader, db: db}, nil
}

// add puts a layer on top and returns its version. Readers of older versions do not see it.
func (s *store) add(diff *miner.StateDiff) uint64 {
	version := s.version + 1
	for i := range diff.Accounts {
		s.addAccount(version, &diff.Accounts[i])
	}
	s.version = version
	return version
}

func (s *store) addAccount(version uint64, diff *miner.AccountDiff) {
	next := &accountVersion{version: version, older: s.newestAccount(diff.Address)}
	if next.older != nil {
		next.destroyed = next.older.destroyed
	}
	if diff.Destroyed {
		next.destroyed = version
	}
	if diff.Exists {
		balance := diff.Balance
		next.account = &types.StateAccount{
			Nonce:    diff.Nonce,
			Balance:  &balance,
			Root:     diff.Root,
			CodeHash: diff.CodeHash.Bytes(),
		}
	}
	// Slots and code first: whoever sees the account must find them.
	for _, slot := range diff.Storage {
		key := slotKey{diff.Address, slot.Key}
		next := &slotVersion{version: version, value: slot.Value}
		if older, ok := s.slots.Load(key); ok {
			next.older, _ = older.(*slotVersion)
		}
		s.slots.Store(key, next)
	}
	if diff.CodeChanged && len(diff.Code) > 0 {
		s.codes.Store(diff.CodeHash, diff.Code)
	}
	s.accounts.Store(diff.Address, next)
}

func (s *store) newestAccount(addr common.Address) *accountVersion {
	v, _ := s.accounts.Load(addr)
	acct, _ := v.(*accountVersion)
	return acct
}

// account returns what version left of an account, nil if no layer up to it touched the account.
func (s *store) account(addr common.Address, version uint64) *accountVersion {
	v := s.newestAccount(addr)
	for v != nil && v.version > version {
		v = v.older
	}
	return v
}

// slot returns what version left of a slot, nil if no layer up to it wrote the slot.
func (s *store) slot(addr common.Address, slot common.Hash, version uint64) *slotVersion {
	loaded, _ := s.slots.Load(slotKey{addr, slot})
	v, _ := loaded.(*slotVersion)
	for v != nil && v.version > version {
		v = v.older
	}
	return v
}
