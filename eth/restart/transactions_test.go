// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package restart

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

func hashesOf(txs []*types.Transaction) []common.Hash {
	list := make([]common.Hash, len(txs))
	for i, tx := range txs {
		list[i] = tx.Hash()
	}
	return list
}

func TestReadJournal(t *testing.T) {
	t.Parallel()
	txs := ethtest.LocalTxs(5)
	path := ethtest.WriteJournal(t, txs)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, test := range []struct {
		name    string
		content []byte
		most    int
		want    []*types.Transaction
		failed  bool
	}{
		{"all of it", whole, 5, txs, false},
		{"the newest", whole, 2, txs[3:], false},
		{"cut off by a crash", whole[:len(whole)-7], 5, txs[:4], false},
		{"cut off, the newest", whole[:len(whole)-7], 2, txs[2:4], false},
		{"empty", nil, 5, nil, false},
		{"something else", []byte("\xc3abc"), 5, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "transactions.rlp")
			require.NoError(t, os.WriteFile(path, test.content, 0o600))
			got, err := readJournal(path, test.most)
			require.Equal(t, test.failed, err != nil, "%v", err)
			require.Equal(t, hashesOf(test.want), hashesOf(got))
		})
	}
	got, err := readJournal(filepath.Join(t.TempDir(), "none"), 5)
	require.NoError(t, err)
	require.Empty(t, got)
}
