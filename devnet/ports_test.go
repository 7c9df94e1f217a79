// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPortsAreIssuedOnce(t *testing.T) {
	t.Parallel()
	var (
		allocator = &portAllocator{issued: make(map[int]bool)}
		mu        sync.Mutex
		seen      = make(map[int]bool)
		wg        sync.WaitGroup
		failures  []error
	)
	for range 8 {
		wg.Go(func() {
			for range 20 {
				port, err := allocator.free(t.Context())
				mu.Lock()
				if err != nil || seen[port] || port < firstPort || port > lastPort {
					failures = append(failures, err)
				}
				seen[port] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Empty(t, failures)
	require.Len(t, seen, 160)
}

func TestPortInUseIsNotBindable(t *testing.T) {
	t.Parallel()
	port, err := ports.free(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { ports.release(port) })
	require.True(t, bindable(t.Context(), port))
	addr := net.JoinHostPort(loopback, strconv.Itoa(port))
	var config net.ListenConfig

	tcp, err := config.Listen(t.Context(), "tcp", addr)
	require.NoError(t, err)
	require.False(t, bindable(t.Context(), port))
	require.NoError(t, tcp.Close())

	udp, err := config.ListenPacket(t.Context(), "udp", addr)
	require.NoError(t, err)
	require.False(t, bindable(t.Context(), port))
	require.NoError(t, udp.Close())
	require.True(t, bindable(t.Context(), port))
}

func TestPortSetIsReleased(t *testing.T) {
	t.Parallel()
	set, err := newPortSet(t.Context())
	require.NoError(t, err)
	for _, port := range set.all() {
		require.NotZero(t, *port)
	}
	set.release()
	ports.mu.Lock()
	defer ports.mu.Unlock()
	for _, port := range set.all() {
		require.False(t, ports.issued[*port])
	}
}
