// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package admission

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func mustAddr(text string) netip.Addr { return canonical(netip.MustParseAddr(text)) }

// requireEmpty checks that no counter of this process is left.
func requireEmpty(t testing.TB, h *harness) {
	t.Helper()
	require.Zero(t, h.local.open.Load())
	for i := range h.local.shards {
		require.Nil(t, h.local.shards[i].open, "the map goes with its last entry")
	}
	if h.cfg.Keys != nil {
		for _, entry := range h.cfg.Keys.entries {
			require.Zero(t, entry.app.open.Load())
		}
	}
}

func TestMemoryFollowsOpenConnections(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{PerIPLimit: 2}, "")
	var tickets []*Ticket
	for i := range 5000 {
		tickets = append(tickets, h.admit(fmt.Sprintf("10.0.%d.%d", i/250, i%250), ""))
	}
	entries := 0
	for i := range h.local.shards {
		entries += len(h.local.shards[i].open)
		require.NotEmpty(t, h.local.shards[i].open, "addresses spread over the shards")
	}
	require.Equal(t, 5000, entries)
	for _, ticket := range tickets {
		ticket.Release()
	}
	requireEmpty(t, h)

	// A refused request leaves nothing either.
	h = newHarness(t, Config{PerIPLimit: 1}, "a:k:1")
	ticket := h.admit("192.0.2.1", "k")
	h.refuses("192.0.2.1", "k", ReasonPerIP)
	h.refuses("192.0.2.2", "k", ReasonPerApp)
	ticket.Release()
	requireEmpty(t, h)
}
