// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who validates a growing block hears of every change, and of the end whatever it is.
func TestWatch(t *testing.T) {
	t.Parallel()
	signalled := func(ch <-chan struct{}) bool {
		select {
		case <-ch:
			return true
		default:
			return false
		}
	}
	h := newHarness(t, Config{})
	first := h.bound(1, 9)
	h.add(9, 0, 1)
	require.True(t, signalled(first.Changed()))
	require.False(t, signalled(first.Changed()), "one signal stands for both")
	h.add(9, 2)
	require.True(t, signalled(first.Changed()))
	require.False(t, signalled(first.Ended()))

	second := h.bound(2, 10)
	require.True(t, signalled(first.Ended()), "superseded")
	second.Freeze()
	require.True(t, signalled(second.Ended()), "frozen")

	again := h.store.Begin(second.Request())
	require.Same(t, second, again.BindLocal(id(2)))
	require.True(t, signalled(again.Ended()), "a repetition of another")

	failed := h.store.Begin(second.Request())
	failed.FailLocal("syncing")
	require.True(t, signalled(failed.Ended()), "nobody builds it")
}
