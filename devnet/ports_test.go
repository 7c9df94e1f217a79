// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Devnets that begin at the same time have no port in common. Nothing but the guard is bound meanwhile.
func TestPortsAreIssuedOnce(t *testing.T) {
	t.Parallel()
	const devnets = 20
	sets := make(chan *portSet, devnets)
	for range devnets {
		go func() {
			set, err := newPortSet(t.Context(), nil)
			assert.NoError(t, err)
			sets <- set
		}()
	}
	seen := make(map[int]bool)
	for range devnets {
		set := <-sets
		require.NotNil(t, set)
		t.Cleanup(func() { require.NoError(t, set.release()) })
		for _, port := range set.all() {
			require.False(t, seen[*port], "port %d was issued twice", *port)
			require.GreaterOrEqual(t, *port, firstPort)
			require.LessOrEqual(t, *port, lastPort)
			seen[*port] = true
		}
	}
}

// A block with a port that somebody else uses, for TCP or for UDP, is not taken.
func TestPortInUseIsNotReserved(t *testing.T) {
	t.Parallel()
	ports, guard, err := reservePorts(t.Context(), 3, nil)
	require.NoError(t, err)
	require.Len(t, ports, 3)
	t.Cleanup(func() { require.NoError(t, guard.Close()) })
	_, second := reserveBlock(t.Context(), ports[0]-1, 3, nil)
	require.Nil(t, second, "the block is taken")

	// Nobody but this test uses the ports now: a smaller block of them stands for any.
	free := func() bool {
		_, guard := reserveBlock(t.Context(), ports[0], 2, nil)
		if guard == nil {
			return false
		}
		require.NoError(t, guard.Close())
		return true
	}
	require.True(t, free())
	addr := net.JoinHostPort(loopback, strconv.Itoa(ports[2]))
	var config net.ListenConfig
	tcp, err := config.Listen(t.Context(), "tcp", addr)
	require.NoError(t, err)
	require.False(t, free())
	require.NoError(t, tcp.Close())

	udp, err := config.ListenPacket(t.Context(), "udp", addr)
	require.NoError(t, err)
	require.False(t, free())
	require.NoError(t, udp.Close())
	require.True(t, free())

	_, _, err = reservePorts(t.Context(), portBlock, nil)
	require.ErrorContains(t, err, "do not fit")
}
