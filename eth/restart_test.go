// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/eth/ethconfig"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// A node that builds has what was submitted before its restart in the pool again, without op-geth's delay:
// the node of this test has no journal of op-geth's at all.
func TestRestoreAtStart(t *testing.T) {
	t.Parallel()
	txs := ethtest.LocalTxs(3)
	path := ethtest.WriteJournal(t, txs)
	n := newNode(t, ethtest.Jovian, func(t testing.TB, n *testNode) {
		t.Helper()
		cfg, node := testConfig(), ethconfig.Defaults
		node.TxPool.Journal = path
		cfg.Eth = &node
		service, err := Register(n.Stack, n.Eth, cfg)
		require.NoError(t, err)
		n.service = service
	})
	require.Eventually(t, func() bool { return n.Eth.TxPool().PoolNonce(ethtest.User) == 3 }, time.Minute, 5*time.Millisecond)
	require.NoError(t, n.Stack.Close()) // while it waits for a head
}

func TestJournalPath(t *testing.T) {
	t.Parallel()
	n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	path := filepath.Join(t.TempDir(), "transactions.rlp")
	cfg := ethconfig.Defaults
	cfg.TxPool.Journal = path
	require.Equal(t, path, journalPath(n.Stack, &cfg))
	cfg.TxPool.NoLocals = true
	require.Empty(t, journalPath(n.Stack, &cfg))
	cfg.TxPool.NoLocals, cfg.TxPool.Journal = false, ""
	require.Empty(t, journalPath(n.Stack, &cfg))
}
