// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/trie/trienode"
)

// stateUpdate is one of every kind of change.
func stateUpdate() *tracing.StateUpdate {
	root := []byte{0xc0, 1, 2, 3}
	account := &types.StateAccount{Nonce: 1, Balance: uint256.NewInt(5), Root: types.EmptyRootHash, CodeHash: types.EmptyCodeHash[:]}
	return &tracing.StateUpdate{
		OriginRoot: common.Hash{1}, Root: crypto.Keccak256Hash(root), BlockNumber: 7,
		AccountChanges: map[common.Address]*tracing.AccountChange{
			{1}: {New: account}, {2}: {Prev: account}, {3}: {Prev: account, New: account},
		},
		StorageChanges: map[common.Address]map[common.Hash]*tracing.StorageChange{
			{3}: {{1}: {New: common.Hash{31: 5}}, {2}: {Prev: common.Hash{9}}, {3}: {Prev: common.Hash{31: 1}, New: common.Hash{30: 1}}},
		},
		CodeChanges: map[common.Address]*tracing.CodeChange{{1}: {New: &tracing.ContractCode{Hash: crypto.Keccak256Hash([]byte{1}), Code: []byte{1}}}},
		TrieChanges: map[common.Hash]map[string]*tracing.TrieNodeChange{
			{}:  {"": {New: trienode.New(crypto.Keccak256Hash(root), root)}, "\x01": {New: trienode.NewDeleted()}},
			{5}: {"\x01\x02": {New: trienode.New(crypto.Keccak256Hash([]byte{9}), []byte{9})}},
		},
	}
}

// What is read of a record is what the path database is given when the block is imported.
func TestStateRecord(t *testing.T) {
	t.Parallel()
	update := stateUpdate()
	content := stateRecord(update)[recordHeader:]
	require.Equal(t, transition{update.OriginRoot, update.Root}, transitionOf(content))
	for _, raw := range []bool{false, true} {
		c, err := decodeState(content, raw)
		require.NoError(t, err)
		require.Equal(t, raw, c.states.RawStorageKey)
		require.Equal(t, map[common.Hash][]byte{crypto.Keccak256Hash([]byte{1}): {1}}, c.codes)
		require.Len(t, c.states.AccountsOrigin, 3)
		require.Nil(t, c.states.AccountsOrigin[common.Address{1}])
		require.Nil(t, c.states.Accounts[crypto.Keccak256Hash(common.Address{2}.Bytes())])
		require.Equal(t, types.SlimAccountRLP(*update.AccountChanges[common.Address{3}].New), c.states.Accounts[crypto.Keccak256Hash(common.Address{3}.Bytes())])
		hashed := func(key common.Hash) common.Hash {
			if raw {
				return crypto.Keccak256Hash(key[:])
			}
			return key
		}
		require.Equal(t, map[common.Hash][]byte{
			hashed(common.Hash{1}): {5}, hashed(common.Hash{2}): nil, hashed(common.Hash{3}): {0x82, 1, 0},
		}, c.states.Storages[crypto.Keccak256Hash(common.Address{3}.Bytes())])
		require.Equal(t, []byte{1}, c.states.StoragesOrigin[common.Address{3}][common.Hash{3}])
		require.Nil(t, c.states.StoragesOrigin[common.Address{3}][common.Hash{1}])
		nodes := c.nodes.Nodes()
		require.True(t, nodes[common.Hash{}]["\x01"].IsDeleted())
		require.Equal(t, crypto.Keccak256Hash([]byte{9}), nodes[common.Hash{5}]["\x01\x02"].Hash)
	}
}

// Content that was cut off or does not lead to its root is refused.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	content := stateRecord(stateUpdate())[recordHeader:]
	for n := 2 * common.HashLength; n < len(content); n++ {
		_, err := decodeState(content[:n], true)
		require.Error(t, err, "the first %d bytes", n)
	}
	_, err := decodeState(append(content[:len(content):len(content)], 0), true)
	require.ErrorIs(t, err, errDamagedState)
	other := append([]byte(nil), content...)
	other[common.HashLength] ^= 1
	_, err = decodeState(other, true)
	require.ErrorIs(t, err, errDamagedState)
}

// FuzzDecodeState: no content makes the decoder panic, or allocate more than there is.
func FuzzDecodeState(f *testing.F) {
	f.Add(stateRecord(stateUpdate())[recordHeader:])
	f.Add(emptyState(common.Hash{1})[recordHeader:])
	f.Fuzz(func(_ *testing.T, content []byte) {
		if len(content) > 2*common.HashLength {
			_, _ = decodeState(content, true)
		}
	})
}
