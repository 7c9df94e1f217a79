// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

//go:build !unix

package stream

import (
	"errors"
	"net"
	"syscall"
)

// rawOf returns nil: here every client is served by a goroutine of its own.
func rawOf(net.Conn) syscall.RawConn { return nil }

// attempt is never made here.
type attempt struct{}

func newAttempt() *attempt { return new(attempt) }

func (*attempt) write(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }
