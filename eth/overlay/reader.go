// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
)

// reader reads the state of one version of a store. It is safe for concurrent use.
type reader struct {
	store   *store
	version uint64
	anchor  state.Reader // of the state under the layers
}

var _ state.Reader = (*reader)(nil)

// Account implements state.StateReader.
func (r *reader) Account(addr common.Address) (*types.StateAccount, error) {
	v := r.store.account(addr, r.version)
	if v == nil {
		return r.anchor.Account(addr)
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
		return r.anchor.Storage(addr, slot)
	}
	if v := r.store.slot(addr, slot, r.version); v != nil && v.version >= acct.cleared {
		return v.value, nil
	}
	if acct.cleared != 0 {
		return common.Hash{}, nil
	}
	return r.anchor.Storage(addr, slot)
}

// Has implements state.ContractCodeReader.
func (r *reader) Has(addr common.Address, codeHash common.Hash) bool {
	if _, ok := r.store.code(codeHash); ok {
		return true
	}
	return r.anchor.Has(addr, codeHash)
}

// Code implements state.ContractCodeReader.
func (r *reader) Code(addr common.Address, codeHash common.Hash) []byte {
	if code, ok := r.store.code(codeHash); ok {
		return code
	}
	return r.anchor.Code(addr, codeHash)
}

// CodeSize implements state.ContractCodeReader.
func (r *reader) CodeSize(addr common.Address, codeHash common.Hash) int {
	if code, ok := r.store.code(codeHash); ok {
		return len(code)
	}
	return r.anchor.CodeSize(addr, codeHash)
}
