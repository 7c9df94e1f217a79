// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// damagedDatabase reads the storage of one contract through a function.
type damagedDatabase struct {
	state.Database
	read func(value common.Hash) (common.Hash, error)
}

// Reader implements state.Database.
func (d damagedDatabase) Reader(root common.Hash) (state.Reader, error) {
	r, err := d.Database.Reader(root)
	return damagedReader{r, d.read}, err
}

type damagedReader struct {
	state.Reader
	read func(value common.Hash) (common.Hash, error)
}

// Storage implements state.StateReader.
func (r damagedReader) Storage(addr common.Address, slot common.Hash) (common.Hash, error) {
	value, err := r.Reader.Storage(addr, slot)
	if err == nil && addr == testchain.StorageAddr {
		return r.read(value)
	}
	return value, err
}

// newDamaged returns a follower that reads the storage of StorageAddr through a function, and two blocks: the
// first stores a value, the second stores it again.
func newDamaged(t *testing.T, read func(common.Hash) (common.Hash, error)) (*harness, []slot) {
	t.Helper()
	h := newHarness(t, harnessConfig{
		chain:    testchain.Config{Fork: testchain.Jovian},
		database: func(db state.Database) state.Database { return damagedDatabase{db, read} },
	})
	var s []slot
	for range 2 {
		h.Send(h.Tx(1, h.TxPool().Nonce(h.Addrs[1]), 100, &testchain.StorageAddr, 60_000, testchain.Words(1, 7)))
		s = append(s, h.slot())
	}
	h.land(s[0].block)
	return h, s
}

// The EVM takes what cannot be read for zero and goes on. What comes of that is not published.
func TestUnreadableState(t *testing.T) {
	t.Parallel()
	h, s := newDamaged(t, func(common.Hash) (common.Hash, error) { return common.Hash{}, errors.New("injected") })
	sub := h.p.Subscribe()
	for i := range s[1].fbs {
		have := h.deliver(s[1].fbs[i])
		h.requirePrefix(h.BlockChain(), have, s[1], 0)
		require.Equal(t, i > 0, have.Incomplete)
	}
	require.EqualValues(t, 1, h.p.metrics.failures.Get())
	for field, c := range h.p.metrics.diverged {
		require.Zero(t, c.Get(), field)
	}
	require.Len(t, drain(sub), 2, "index 0, and that its continuation is missing")

	require.Nil(t, h.land(s[1].block))
	h.logs(0) // reads nothing of the contract
	next := h.slot()
	h.requirePrefix(h.BlockChain(), h.deliver(next.fbs...), next, 4)
}
