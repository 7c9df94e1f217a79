// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

//go:build unix

package stream

import (
	"errors"
	"net"
	"syscall"
)

// rawOf returns what a write without waiting needs, nil if the connection cannot do that: TLS, whose
// records must not be cut, and whatever wraps a socket.
func rawOf(conn net.Conn) syscall.RawConn {
	switch conn := conn.(type) {
	case *net.TCPConn:
		if raw, err := conn.SyscallConn(); err == nil {
			return raw
		}
	case *net.UnixConn:
		if raw, err := conn.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// attempt writes to sockets without waiting. It belongs to one goroutine, and costs no memory per
// socket or write. The descriptor is never kept: RawConn lends it while it cannot be closed.
type attempt struct {
	buf  []byte
	n    int
	err  error
	call func(fd uintptr) bool
}

func newAttempt() *attempt {
	a := new(attempt)
	a.call = func(fd uintptr) bool {
		for {
			n, err := syscall.Write(int(fd), a.buf)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			a.n, a.err = max(n, 0), err
			return true // whatever came out: never wait
		}
	}
	return a
}

// write writes as much as there is room for, and returns how much that was.
func (a *attempt) write(raw syscall.RawConn, b []byte) (int, error) {
	a.buf, a.n, a.err = b, 0, nil
	err := raw.Write(a.call)
	a.buf = nil
	switch {
	case err != nil:
		return a.n, err
	case errors.Is(a.err, syscall.EAGAIN):
		return a.n, nil
	default:
		return a.n, a.err
	}
}
