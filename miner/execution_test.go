// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
)

// An execution tells that something could not be read, and does not forget it.
func TestExecutionErr(t *testing.T) {
	t.Parallel()
	h := newHarness(t, harnessConfig{fork: jovian})
	parent := h.chain.CurrentBlock()
	args := h.attributes(parent)
	header := types.CopyHeader(parent)
	header.ParentHash = parent.Hash()
	header.Number.SetUint64(1)
	header.Time = args.Timestamp
	header.Coinbase = args.FeeRecipient
	header.GasLimit = *args.GasLimit
	header.ParentBeaconRoot = args.BeaconRoot

	db := state.NewDatabase(h.chain.TrieDB(), h.chain.CodeDB())
	below, err := db.Reader(parent.Root)
	require.NoError(t, err)
	reads := &failingReader{Reader: below}
	stateDB, err := state.NewWithReader(parent.Root, db, reads)
	require.NoError(t, err)
	exec, err := NewExecution(h.chain, parent, header, stateDB, args.Transactions[0], vm.Config{})
	require.NoError(t, err)
	for _, tx := range args.Transactions {
		_, err = exec.Execute(tx)
		require.NoError(t, err)
	}
	_, err = exec.Execute(h.transfer(0, 0, 1))
	require.NoError(t, err)
	require.NoError(t, exec.Err())

	reads.broken.Store(true)
	_, err = exec.Execute(h.transfer(1, 0, 1))
	require.Error(t, err, "an account without balance")
	require.ErrorIs(t, exec.Err(), errUnreadableState)
	reads.broken.Store(false)
	_, err = exec.Execute(h.transfer(2, 0, 1))
	require.NoError(t, err)
	require.ErrorIs(t, exec.Err(), errUnreadableState)
}
