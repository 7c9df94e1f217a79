// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"fmt"
	"maps"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// storageRoots hash the storage of single accounts in the midst of a block, where a StateDB still says what it
// was before. Each account is hashed from the slots that the block has written, once; later questions cost
// what was written since.
type storageRoots struct {
	recorder *recorder
	parent   common.Hash // state root of the parent
	accounts map[common.Address]*storageTrie
}

// storageTrie is the storage of one account.
type storageTrie struct {
	base  common.Hash // root before the block, empty for an account that is new in it
	trie  state.Trie
	keys  map[common.Hash]struct{} // written in this block
	stale map[common.Hash]struct{} // of them, those that the trie does not have yet
	root  common.Hash
}

func newStorageRoots(r *recorder, parent common.Hash) *storageRoots {
	s := &storageRoots{recorder: r, parent: parent, accounts: make(map[common.Address]*storageTrie)}
	r.roots = s
	return s
}

// wrote takes in a write. A write that is reverted is harmless: values are read when the root is asked for.
func (s *storageRoots) wrote(addr common.Address, key common.Hash) {
	if acct := s.accounts[addr]; acct != nil {
		acct.keys[key] = struct{}{}
		acct.stale[key] = struct{}{}
	}
}

// cleared takes in that an account was destroyed with all its storage.
func (s *storageRoots) cleared(addr common.Address) {
	if acct := s.accounts[addr]; acct != nil {
		acct.trie = nil
	}
}

// root returns the storage root of an account as it is between two transactions.
func (s *storageRoots) root(addr common.Address) (common.Hash, error) {
	base := s.recorder.GetStorageRoot(addr)
	if base == (common.Hash{}) {
		return types.EmptyRootHash, nil // no such account
	}
	acct := s.accounts[addr]
	if acct == nil {
		keys := s.recorder.written(addr)
		if len(keys) == 0 {
			return base, nil
		}
		acct = &storageTrie{keys: keys}
		s.accounts[addr] = acct
	}
	if acct.trie == nil || acct.base != base {
		trie, err := s.recorder.Database().OpenStorageTrie(s.parent, addr, base, nil)
		if err != nil {
			return common.Hash{}, fmt.Errorf("%w: %w", errUnreadableState, err)
		}
		acct.base, acct.trie, acct.root = base, trie, base
		acct.stale = maps.Clone(acct.keys)
	}
	if len(acct.stale) > 0 {
		if err := s.update(addr, acct); err != nil {
			acct.trie = nil
			return common.Hash{}, fmt.Errorf("%w: %w", errUnreadableState, err)
		}
	}
	return acct.root, nil
}

// update brings the trie up to date and hashes it.
func (s *storageRoots) update(addr common.Address, acct *storageTrie) error {
	for key := range acct.stale {
		value := s.recorder.GetState(addr, key)
		if value == (common.Hash{}) {
			if err := acct.trie.DeleteStorage(addr, key[:]); err != nil {
				return err
			}
			continue
		}
		if err := acct.trie.UpdateStorage(addr, key[:], common.TrimLeftZeroes(value[:])); err != nil {
			return err
		}
	}
	clear(acct.stale)
	acct.root = acct.trie.Hash()
	return nil
}

// check reports the first of a transaction's conditions on accounts that does not hold.
func (s *storageRoots) check(cond *types.TransactionConditional) error {
	if cost := cond.Cost(); cost > gethparams.TransactionConditionalMaxCost {
		return fmt.Errorf("cost of %d is above %d", cost, gethparams.TransactionConditionalMaxCost)
	}
	rest := *cond
	rest.KnownAccounts = make(types.KnownAccounts, len(cond.KnownAccounts))
	for addr, acct := range cond.KnownAccounts {
		want, ok := acct.Root()
		if !ok {
			rest.KnownAccounts[addr] = acct
			continue
		}
		have, err := s.root(addr)
		if err != nil {
			return err
		}
		if have != want {
			return fmt.Errorf("storage root of %s is %s, want %s", addr, have, want)
		}
	}
	return s.recorder.CheckTransactionConditional(&rest)
}
