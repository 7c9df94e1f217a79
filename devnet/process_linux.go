// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import "syscall"

// childAttributes puts a child into a process group of its own, so that a terminal's Ctrl-C reaches
// the devnet alone and it stops the children in order, and has the kernel kill the child should the
// devnet die without stopping it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
