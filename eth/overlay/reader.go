// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
)

// reader reads the state of one version of a store. It is immutable and safe for concurrent use.
type reader struct {
	store   *store
	version uint64
}

var _ state.Reader = (*reader)(nil)

// Account implements state.StateReader.
func (r *reader) Account(addr common.Address) (*types.StateAccount, error) {
	v := r.store.account(addr, r.version)
	if v == nil {
		return r.store.reader.Account(addr)
	}
	if v.account == nil {
		return nil, nil //nolint:nilnil // the interface's way to say that there is no such account
	}
	return v.account.Copy(), nil
}

// Storage implements state.StateReader.
func (r *reader) Storage(addr common.Address, slot common.Hash) (common.Hash, error) {
	acct := r.store.account(addr, r.version)
	if acct == nil {
		return r.store.reader.Storage(addr, slot)
	}
	if v := r.store.slot(addr, slot, r.version); v != nil && v.version >= acct.destroyed {
		return v.value, nil
	}
	if acct.destroyed != 0 {
		return common.Hash{}, nil
	}
	return r.store.reader.Storage(addr, slot)
}

// Has implements state.ContractCodeReader.
func (r *reader) Has(addr common.Address, codeHash common.Hash) bool {
	if _, ok := r.store.codes.Load(codeHash); ok {
		return true
	}
	return r.store.reader.Has(addr, codeHash)
}

// Code implements state.ContractCodeReader.
func (r *reader) Code(addr common.Address, codeHash common.Hash) []byte {
	if code, ok := r.store.codes.Load(codeHash); ok {
		b, _ := code.([]byte)
		return b
	}
	return r.store.reader.Code(addr, codeHash)
}

// CodeSize implements state.ContractCodeReader.
func (r *reader) CodeSize(addr common.Address, codeHash common.Hash) int {
	if code, ok := r.store.codes.Load(codeHash); ok {
		b, _ := code.([]byte)
		return len(b)
	}
	return r.store.reader.CodeSize(addr, codeHash)
}

// stateDB opens a state on the reader. It copies nothing, whatever the size of the layers.
func (r *reader) stateDB() (*state.StateDB, error) {
	return state.NewWithReader(r.store.anchor.Root, r.store.db, r)
}
