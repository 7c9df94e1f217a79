// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package load

import (
	"fmt"
	"syscall"
)

// RaiseFileLimit raises the number of files this process may open to what the system admits, and
// reports an error if that is not enough for the given number of connections.
func RaiseFileLimit(connections int) error {
	const spare = 64 // standard streams, libraries, listeners
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
	}
	if limit.Cur < uint64(connections)+spare {
		return fmt.Errorf("%d connections need as many open files, and the limit is %d: raise ulimit -n", connections, limit.Cur)
	}
	return nil
}
