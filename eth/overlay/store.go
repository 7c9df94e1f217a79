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
	version uint64
	account *types.StateAccount // nil if it does not exist
	cleared uint64              // newest version, up to this one, that removed the storage; 0 for none
	older   *accountVersion
}

// slotVersion is a storage slot as one layer left it. It is immutable.
type slotVersion struct {
	version uint64
	value   common.Hash
	older   *slotVersion
}

// add puts a layer on top and returns its version. Readers of older versions do not see it.
func (s *store) add(diff *miner.StateDiff) uint64 {
	s.version++
	for i := range diff.Accounts {
		s.addAccount(s.version, &diff.Accounts[i])
	}
	return s.version
}

func (s *store) addAccount(version uint64, diff *miner.AccountDiff) {
	for _, slot := range diff.Storage {
		s.addSlot(version, slotKey{diff.Address, slot.Key}, slot.Value)
	}
	if diff.CodeChanged && len(diff.Code) > 0 {
		s.codes.Store(diff.CodeHash, diff.Code)
	}
	next := &accountVersion{version: version, older: s.newestAccount(diff.Address)}
	switch {
	case diff.Destroyed || !diff.Exists:
		// What does not exist has no storage either: an account created there later starts empty.
		next.cleared = version
	case next.older != nil:
		next.cleared = next.older.cleared
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
	s.accounts.Store(diff.Address, next)
}

func (s *store) addSlot(version uint64, key slotKey, value common.Hash) {
	next := &slotVersion{version: version, value: value}
	if older, ok := s.slots.Load(key); ok {
		next.older, _ = older.(*slotVersion)
	}
	s.slots.Store(key, next)
}

func (s *store) newestAccount(addr common.Address) *accountVersion {
	v, _ := s.accounts.Load(addr)
	acct, _ := v.(*accountVersion)
	return acct
}

// account returns what the layers up to version left of an account, nil if none of them touched it.
func (s *store) account(addr common.Address, version uint64) *accountVersion {
	v := s.newestAccount(addr)
	for v != nil && v.version > version {
		v = v.older
	}
	return v
}

// slot returns what the layers up to version left of a slot, nil if none of them wrote it.
func (s *store) slot(addr common.Address, slot common.Hash, version uint64) *slotVersion {
	loaded, _ := s.slots.Load(slotKey{addr, slot})
	v, _ := loaded.(*slotVersion)
	for v != nil && v.version > version {
		v = v.older
	}
	return v
}

// code returns code that a layer created. Code is found by its hash, so that versions do not matter.
func (s *store) code(hash common.Hash) ([]byte, bool) {
	v, ok := s.codes.Load(hash)
	if !ok {
		return nil, false
	}
	code, ok := v.([]byte)
	return code, ok
}

// stateDB opens a state of one version. It copies nothing, whatever the size of the layers. The reader
// of the anchor is the state's own: sharing one would make requests wait for each other where the node
// has no flat state and reads tries under a lock.
func (s *store) stateDB(version uint64) (*state.StateDB, error) {
	anchor, err := s.db.Reader(s.anchor.Root)
	if err != nil {
		return nil, err
	}
	return state.NewWithReader(s.anchor.Root, s.db, &reader{store: s, version: version, anchor: anchor})
}

// reroot gives the accounts of diff the storage roots that they have in the anchor's state, for layers
// that were captured on another anchor.
func (s *store) reroot(anchor state.Reader, diff *miner.StateDiff) (*miner.StateDiff, error) {
	cpy := &miner.StateDiff{Accounts: make([]miner.AccountDiff, len(diff.Accounts))}
	copy(cpy.Accounts, diff.Accounts)
	for i := range cpy.Accounts {
		acct := &cpy.Accounts[i]
		if !acct.Exists {
			continue
		}
		known := s.newestAccount(acct.Address)
		acct.Root = types.EmptyRootHash
		if acct.Destroyed || known != nil && known.cleared != 0 {
			continue
		}
		below, err := anchor.Account(acct.Address)
		if err != nil {
			return nil, err
		}
		if below != nil {
			acct.Root = below.Root
		}
	}
	return cpy, nil
}
