// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
)

// openAt opens a memory that must be readable.
func openAt(t *testing.T, path string) *idMemory {
	t.Helper()
	h, err := openIDMemory(path)
	require.NoError(t, err)
	return h
}

// payloadIDOf returns a payload id of version 3.
func payloadIDOf(n uint32) (id engine.PayloadID) {
	id[0] = byte(engine.PayloadV3)
	binary.BigEndian.PutUint32(id[4:], n)
	return id
}

// Every payload of the same attributes has an id of its own, in one process or in several.
func TestIDMemoryOfRestarts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payloads")
	want := payloadIDOf(7)
	given := make(map[engine.PayloadID]bool)
	for range keptIDs - 1 {
		h := openAt(t, path)
		id := h.fresh(want)
		require.False(t, given[id], "an id of an earlier process")
		require.True(t, id.Is(engine.PayloadV3))
		require.Equal(t, id, h.fresh(want), "asking changes nothing")
		require.Equal(t, payloadIDOf(8), h.fresh(payloadIDOf(8)), "an id nobody has used")
		h.add(id)
		require.NotEqual(t, id, h.fresh(want), "an id of this process")
		given[id] = true
	}
	require.True(t, given[want], "the first process uses op-geth's id")
}

func TestIDMemoryIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payloads")
	h := openAt(t, path)
	for n := range uint32(3 * keptIDs) {
		h.add(payloadIDOf(n))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, keptIDs*len(engine.PayloadID{}), info.Size())
	h = openAt(t, path)
	require.Len(t, h.ids, keptIDs)
	require.Equal(t, payloadIDOf(2*keptIDs-1), h.fresh(payloadIDOf(2*keptIDs-1)), "forgotten")
	require.NotEqual(t, payloadIDOf(2*keptIDs), h.fresh(payloadIDOf(2*keptIDs)))
}

func TestIDMemoryWithoutFile(t *testing.T) {
	t.Parallel()
	h := openAt(t, "")
	h.add(payloadIDOf(1))
	require.NotEqual(t, payloadIDOf(1), h.fresh(payloadIDOf(1)))
	for n := range uint32(keptIDs) {
		h.add(payloadIDOf(2 + n))
	}
	require.Len(t, h.ids, keptIDs)
	require.Equal(t, payloadIDOf(1), h.fresh(payloadIDOf(1)), "forgotten")

	// A directory that is gone costs the memory, not the slot.
	h = openAt(t, filepath.Join(t.TempDir(), "missing", "payloads"))
	h.add(payloadIDOf(1))
	require.NotEqual(t, payloadIDOf(1), h.fresh(payloadIDOf(1)))

	_, err := openIDMemory(t.TempDir())
	require.ErrorContains(t, err, "ids of published payloads")
}

// A torn write leaves a tail that is no id.
func TestIDMemoryIgnoresATornTail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "payloads")
	one := payloadIDOf(1)
	require.NoError(t, os.WriteFile(path, append(one[:], 1, 2, 3), 0o600))
	h := openAt(t, path)
	require.NotEqual(t, one, h.fresh(one))
	h.add(payloadIDOf(2))
	require.NotEqual(t, payloadIDOf(2), openAt(t, path).fresh(payloadIDOf(2)))
}
