// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package load

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks is Linux's unit of CPU time in /proc, fixed at 100 per second for programs.
const ticks = 100

// Usage is what a process holds and has used, from /proc.
type Usage struct {
	Resident uint64        // bytes of physical memory
	CPU      time.Duration // user and system time since its start
}

// Measure reads the usage of a process; a pid of 0 is no process and an error.
func Measure(pid int) (Usage, error) {
	if pid <= 0 {
		return Usage{}, errors.New("no process is watched")
	}
	dir := "/proc/" + strconv.Itoa(pid)         // nothing but a number can come in here
	status, err := os.ReadFile(dir + "/status") //nolint:gosec // see dir
	if err != nil {
		return Usage{}, err
	}
	u := Usage{}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				return Usage{}, fmt.Errorf("resident memory of process %d: %w", pid, err)
			}
			u.Resident = kib << 10
		}
	}
	stat, err := os.ReadFile(dir + "/stat") //nolint:gosec // see dir
	if err != nil {
		return Usage{}, err
	}
	// The name in parentheses may have blanks; the fields after it do not.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return Usage{}, fmt.Errorf("process %d: /proc has an unknown form", pid)
	}
	for _, field := range fields[11:13] {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("CPU time of process %d: %w", pid, err)
		}
		u.CPU += time.Duration(n) * time.Second / ticks
	}
	return u, nil
}
