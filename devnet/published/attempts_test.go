// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package published

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/teststream"
)

// Attempts are told apart by block and payload id, kept in the order in which they began, and forgotten by block.
func TestAttempts(t *testing.T) {
	t.Parallel()
	var s Attempts[int]
	again := teststream.Flashblock(7, 0)
	again.PayloadID = teststream.PayloadID(70)
	for _, fb := range []struct {
		block, index uint64
	}{{7, 0}, {8, 0}, {7, 1}, {9, 3}} {
		a, begun := s.Of(teststream.Flashblock(fb.block, fb.index))
		require.Equal(t, fb.index != 1, begun)
		*a++
	}
	a, begun := s.Of(again)
	require.True(t, begun)
	require.Zero(t, *a)

	require.Equal(t, []uint64{7, 8, 9}, s.Numbers())
	require.Len(t, s.At(7), 2)
	require.Equal(t, 2, *s.At(7)[0])
	require.Same(t, a, s.At(7)[1])
	s.Forget(9)
	require.Equal(t, []uint64{9}, s.Numbers())
	require.Empty(t, s.At(7))
}
