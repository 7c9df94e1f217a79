// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
)

// What op-geth forgets may be built again.
func TestRecentIDs(t *testing.T) {
	t.Parallel()
	var ids recentIDs
	for i := range byte(maxRecentIDs) {
		ids.add(engine.PayloadID{i})
		ids.add(engine.PayloadID{0})
	}
	for i := range byte(maxRecentIDs) {
		require.True(t, ids.has(engine.PayloadID{i}))
	}
	ids.add(engine.PayloadID{100})
	require.True(t, ids.has(engine.PayloadID{100}))
	require.False(t, ids.has(engine.PayloadID{0}), "the oldest was kept")
	require.Len(t, ids.ids, maxRecentIDs)
}
