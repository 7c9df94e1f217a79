// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// loopback is the only address a devnet binds: nothing of it is reachable from another machine.
const loopback = "127.0.0.1"

// Ports are taken from a range below Linux's ephemeral ports (32768 and up): an outgoing connection
// of any process can then not land on a port between its allocation and the child's bind, nor while
// a restarted child is down.
const (
	firstPort    = 18000
	lastPort     = 31999
	portAttempts = 200
)

// portAllocator hands out TCP ports on loopback that are free for TCP and UDP, each only once.
type portAllocator struct {
	mu     sync.Mutex
	issued map[int]bool
}

// ports is shared by every devnet of the process, so that parallel tests never get the same port.
var ports = &portAllocator{issued: make(map[int]bool)}

// free returns a port that nobody listens on and that has not been handed out before.
func (a *portAllocator) free(ctx context.Context) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()

	for range portAttempts {
		port := firstPort + rand.IntN(lastPort-firstPort+1) //nolint:gosec // a port number is no secret
		if a.issued[port] || !bindable(ctx, port) {
			continue
		}
		a.issued[port] = true
		return port, nil
	}
	return 0, fmt.Errorf("no free port on %s between %d and %d in %d attempts", loopback, firstPort, lastPort, portAttempts)
}

// release makes ports available again once their devnet has stopped.
func (a *portAllocator) release(ports ...int) {
	a.mu.Lock()
	defer a.mu.Unlock()

	for _, port := range ports {
		delete(a.issued, port)
	}
}

// bindable tells whether port can be bound for TCP and for UDP (op-node's p2p uses both).
func bindable(ctx context.Context, port int) bool {
	var (
		config net.ListenConfig
		addr   = net.JoinHostPort(loopback, strconv.Itoa(port))
	)
	tcp, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer tcp.Close()

	udp, err := config.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return false
	}
	udp.Close()
	return true
}
