// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// loopback is the only address a devnet binds: nothing of it is reachable from another machine.
const loopback = "127.0.0.1"

// Ports are taken from a range below Linux's ephemeral ports (32768 and up): an outgoing connection
// of any process can then not land on a port between its allocation and the child's bind, nor while
// a restarted child is down.
//
// The range is cut into blocks. A devnet takes a whole one by listening on its first port for as long as
// it lives, so that another devnet, of this process or any other, cannot be given a port that a child has
// not bound yet or has given up for a restart.
const (
	firstPort    = 18000
	lastPort     = 31999
	portBlock    = 40 // a devnet's ports and the one that guards them
	portAttempts = 200
)

// reservePorts takes a block of ports that are all free for TCP and UDP, and not in taken. They are the
// devnet's until guard is closed.
func reservePorts(ctx context.Context, count int, taken map[int]bool) (ports []int, guard net.Listener, err error) {
	if count >= portBlock {
		return nil, nil, fmt.Errorf("%d ports do not fit into a block of %d", count, portBlock)
	}
	for range portAttempts {
		first := firstPort + portBlock*rand.IntN((lastPort-firstPort+1)/portBlock) //nolint:gosec // a port number is no secret
		if ports, guard = reserveBlock(ctx, first, count, taken); guard != nil {
			return ports, guard, nil
		}
	}
	return nil, nil, fmt.Errorf("no %d free ports in a row on %s between %d and %d in %d attempts", count, loopback, firstPort, lastPort, portAttempts)
}

// reserveBlock takes the block that begins at first. guard is nil if any of its ports is in use or taken.
func reserveBlock(ctx context.Context, first, count int, taken map[int]bool) (ports []int, guard net.Listener) {
	for port := range taken {
		if first <= port && port <= first+count {
			return nil, nil
		}
	}
	var config net.ListenConfig
	guard, err := config.Listen(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(first)))
	if err != nil {
		return nil, nil
	}
	for port := first + 1; port <= first+count; port++ {
		if bindable(ctx, port) != nil {
			_ = guard.Close()
			return nil, nil
		}
		ports = append(ports, port)
	}
	return ports, guard
}

// bindable tells why port cannot be bound for TCP and for UDP (op-node's p2p uses both), nil if it can.
func bindable(ctx context.Context, port int) error {
	var (
		config net.ListenConfig
		addr   = net.JoinHostPort(loopback, strconv.Itoa(port))
	)
	tcp, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer tcp.Close()

	udp, err := config.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return err
	}
	return udp.Close()
}
