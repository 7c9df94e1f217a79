// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"math/rand"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/triedb"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testseed"
)

// twinStates are two states on the same root, which holds accounts with code and storage.
func twinStates(t *testing.T, addrs []common.Address) (a, b *state.StateDB) {
	t.Helper()
	db := state.NewDatabase(triedb.NewDatabase(rawdb.NewMemoryDatabase(), triedb.HashDefaults), nil)
	base, err := state.New(types.EmptyRootHash, db)
	require.NoError(t, err)
	for i, addr := range addrs[:len(addrs)/2] {
		base.SetBalance(addr, uint256.NewInt(1000), tracing.BalanceChangeUnspecified)
		base.SetNonce(addr, 1, tracing.NonceChangeUnspecified)
		if i%2 == 0 {
			base.SetCode(addr, []byte{1, byte(i)}, tracing.CodeChangeUnspecified)
			for k := range byte(4) {
				base.SetState(addr, common.Hash{k}, common.Hash{1 + k})
			}
		}
	}
	root, err := base.Commit(0, true, false)
	require.NoError(t, err)
	a, err = state.New(root, db)
	require.NoError(t, err)
	b, err = state.New(root, db)
	require.NoError(t, err)
	return a, b
}

// mutate does what a call does to a state: random writes, of which nested ones may be reverted.
func mutate(rng *rand.Rand, r *recorder, addrs []common.Address, depth int) {
	for range 1 + rng.Intn(8) {
		addr := addrs[rng.Intn(len(addrs))]
		switch rng.Intn(9) {
		case 0:
			r.AddBalance(addr, uint256.NewInt(uint64(rng.Intn(3))), tracing.BalanceChangeUnspecified)
		case 1:
			if !r.GetBalance(addr).IsZero() {
				r.SubBalance(addr, uint256.NewInt(1), tracing.BalanceChangeUnspecified)
			}
		case 2:
			r.SetNonce(addr, r.GetNonce(addr)+1, tracing.NonceChangeUnspecified)
		case 3, 4:
			if r.GetCodeSize(addr) > 0 {
				r.SetState(addr, common.Hash{byte(rng.Intn(5))}, common.Hash{byte(rng.Intn(3))})
			}
		case 5: // a creation, where the EVM allows one
			if r.GetCodeSize(addr) == 0 && r.GetNonce(addr) == 0 {
				if !r.Exist(addr) {
					r.CreateAccount(addr)
				}
				r.CreateContract(addr)
				r.SetNonce(addr, 1, tracing.NonceChangeUnspecified)
				r.SetCode(addr, []byte{2, byte(rng.Intn(3))}, tracing.CodeChangeUnspecified)
			}
		case 6:
			if r.GetCodeSize(addr) > 0 {
				r.SubBalance(addr, r.GetBalance(addr), tracing.BalanceChangeUnspecified)
				r.SelfDestruct(addr)
			}
		default:
			if depth < 3 {
				snapshot := r.Snapshot()
				mutate(rng, r, addrs, depth+1)
				if rng.Intn(2) == 0 {
					r.RevertToSnapshot(snapshot)
				}
			}
		}
	}
}

// Diffs captured at random places and applied to another state give the same root, with intermediate
// hashing or without, whatever was destroyed, created again, cleared or reverted in between.
func TestRecorderDiffs(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	rng := rand.New(rand.NewSource(seed))
	addrs := make([]common.Address, 8)
	for i := range addrs {
		addrs[i] = common.Address{byte(i + 1)}
	}
	for round := range 1500 {
		a, b := twinStates(t, addrs)
		r := newRecorder(a)
		for range 1 + rng.Intn(5) {
			for range rng.Intn(5) {
				mutate(rng, r, addrs, 0)
				r.Finalise(true)
			}
			diff := r.capture()
			diff.apply(b)
			if rng.Intn(2) == 0 {
				require.Equal(t, a.Copy().IntermediateRoot(true), b.IntermediateRoot(true), "seed %d round %d", seed, round)
			}
		}
		require.Empty(t, r.capture().Accounts, "what was captured is forgotten")
		require.Equal(t, a.IntermediateRoot(true), b.IntermediateRoot(true), "seed %d round %d", seed, round)
	}
}

// A write that was reverted tells nothing new.
func TestRecorderRevert(t *testing.T) {
	t.Parallel()
	addr := common.Address{1}
	a, _ := twinStates(t, []common.Address{addr, {2}})
	r := newRecorder(a)
	snapshot := r.Snapshot()
	r.SetState(addr, common.Hash{0}, common.Hash{9})
	r.AddBalance(common.Address{3}, uint256.NewInt(5), tracing.BalanceChangeUnspecified)
	r.SelfDestruct(addr)
	r.RevertToSnapshot(snapshot)
	r.Finalise(true)
	diff := r.capture()
	require.Len(t, diff.Accounts, 2)
	require.False(t, diff.Accounts[0].Destroyed)
	require.False(t, diff.Accounts[0].CodeChanged)
	require.Equal(t, []StorageDiff{{Key: common.Hash{0}, Value: common.Hash{1}}}, diff.Accounts[0].Storage)
	require.EqualValues(t, 1000, diff.Accounts[0].Balance.Uint64())
	require.False(t, diff.Accounts[1].Exists)
}

// The storage root of an account in the midst of a block is the one that hashing everything would give, whatever was
// asked before.
func TestStorageRoots(t *testing.T) {
	t.Parallel()
	seed := int64(testseed.New(t))
	rng := rand.New(rand.NewSource(seed))
	addrs := make([]common.Address, 6)
	for i := range addrs {
		addrs[i] = common.Address{byte(i + 1)}
	}
	changed := 0
	for round := range 1000 {
		a, b := twinStates(t, addrs)
		parent := b.IntermediateRoot(true)
		r := newRecorder(a)
		var roots *storageRoots
		for range 1 + rng.Intn(8) {
			mutate(rng, r, addrs, 0)
			r.Finalise(true)
			if rng.Intn(3) == 0 {
				r.capture()
			}
			if roots == nil && rng.Intn(2) == 0 {
				roots = newStorageRoots(r, parent)
			}
			if roots == nil {
				continue
			}
			hashed := a.Copy()
			hashed.IntermediateRoot(true)
			for _, addr := range addrs {
				if rng.Intn(2) == 0 {
					continue
				}
				want := hashed.GetStorageRoot(addr)
				if want == (common.Hash{}) {
					want = types.EmptyRootHash
				}
				have, err := roots.root(addr)
				require.NoError(t, err)
				require.Equal(t, want, have, "seed %d round %d", seed, round)
				if have != b.GetStorageRoot(addr) && a.Exist(addr) {
					changed++
				}
			}
		}
	}
	require.Greater(t, changed, 500)
}
