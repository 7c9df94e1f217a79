// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
	"github.com/ethereum/go-ethereum/flashgeth/miner"
)

// requireState asserts that the state of a complete snapshot is the canonical one of its block, for every
// key that the block touched.
func (h *harness) requireState(s *Snapshot, sl slot) {
	h.t.Helper()
	want, err := h.BlockChain().StateAt(sl.block.Root())
	require.NoError(h.t, err)
	have, err := s.State()
	require.NoError(h.t, err)
	keys := newKeys()
	for _, b := range sl.built {
		keys.add(b.Diff)
	}
	keys.requireEqual(h.t, want, have)
}

// keys are accounts with the slots to look at.
type keys map[common.Address]map[common.Hash]struct{}

func newKeys() keys {
	k := make(keys)
	for _, addr := range []common.Address{testchain.SuicidalAddr, testchain.StorageAddr, common.HexToAddress("0xe0e0e0")} {
		k[addr] = map[common.Hash]struct{}{{1}: {}, {31: 1}: {}, {31: 2}: {}}
	}
	return k
}

func (k keys) add(diff *miner.StateDiff) {
	for _, acct := range diff.Accounts {
		slots := k[acct.Address]
		if slots == nil {
			slots = map[common.Hash]struct{}{{31: 1}: {}}
			k[acct.Address] = slots
		}
		for _, slot := range acct.Storage {
			slots[slot.Key] = struct{}{}
		}
	}
}

func (k keys) requireEqual(t testing.TB, want, have *state.StateDB) {
	t.Helper()
	for addr, slots := range k {
		require.Equal(t, want.Exist(addr), have.Exist(addr), addr)
		require.Equal(t, want.Empty(addr), have.Empty(addr), addr)
		require.Equal(t, want.GetBalance(addr), have.GetBalance(addr), addr)
		require.Equal(t, want.GetNonce(addr), have.GetNonce(addr), addr)
		require.Equal(t, want.GetCodeHash(addr), have.GetCodeHash(addr), addr)
		require.Equal(t, want.GetCode(addr), have.GetCode(addr), addr)
		require.Equal(t, want.GetCodeSize(addr), have.GetCodeSize(addr), addr)
		for slot := range slots {
			require.Equal(t, want.GetState(addr, slot), have.GetState(addr, slot), "%v %v", addr, slot)
		}
	}
	require.NoError(t, have.Error())
}
