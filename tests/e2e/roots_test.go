// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// TestRealRoots runs the other settings of the stream: real roots at every index, and trimmed metadata.
// Each flashblock then names a block by its hash, and the last one names the sealed block.
func TestRealRoots(t *testing.T) {
	t.Parallel()
	n := boot(t, options{load: 40, nodeArgs: []string{"--flashblocks.disable-state-root=false", "--flashblocks.metadata", "trimmed"}})
	n.awaitHead(8)
	list := n.auditAll(n.head())
	n.summarise(list)
	config := n.Genesis().Config
	for i := range list {
		a := &list[i].attempt
		for k, fb := range a.Flashblocks {
			require.Equal(t, flashblocks.DialectTrimmed, fb.Metadata.Dialect)
			require.Empty(t, fb.Metadata.Receipts)
			if i+k > 0 || a.Number == 1 { // of a later first block the one before was not seen
				require.Equal(t, previous(list, i, k), fb.Metadata.PrevFlashblockID, "the flashblock before %d/%d", a.Number, k)
			}
			requireOwnHash(t, a.Flashblocks[:k+1], flashblocks.ForksAt(config, list[i].block.Time()))
		}
		last := a.Flashblocks[len(a.Flashblocks)-1]
		require.Equal(t, list[i].block.Hash(), last.Diff.BlockHash)
		require.Equal(t, list[i].block.Root(), last.Diff.StateRoot)
	}
}

// previous returns the position before flashblock k of block i, nil at the start of the chain.
func previous(list []audited, i, k int) *flashblocks.FlashblockID {
	switch {
	case k > 0:
		return &flashblocks.FlashblockID{BlockNumber: list[i].attempt.Number, Index: uint64(k - 1)}
	case i > 0:
		return &flashblocks.FlashblockID{BlockNumber: list[i-1].attempt.Number, Index: uint64(list[i-1].attempt.User())}
	default:
		return nil
	}
}

// requireOwnHash checks that a prefix of an attempt has the hash its last flashblock claims.
func requireOwnHash(t *testing.T, prefix []*flashblocks.Flashblock, forks flashblocks.Forks) {
	t.Helper()
	payload, err := flashblocks.Assemble(prefix, forks)
	require.NoError(t, err)
	if *payload.Data.WithdrawalsRoot == (common.Hash{}) {
		payload.Data.WithdrawalsRoot = &types.EmptyWithdrawalsHash
	}
	hash, err := payload.Hash()
	require.NoError(t, err)
	require.Equal(t, payload.Data.BlockHash, hash, "the hash that flashblock %d/%d claims", payload.Data.Number, len(prefix)-1)
}
