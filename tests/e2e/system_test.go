// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = "0A"

// processesOf returns the processes whose command line names the directory, and whose program is called
// name if that is not empty. Everything a devnet starts has its data directory in its arguments.
func processesOf(t *testing.T, dir, name string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err != nil || !strings.Contains(string(line), dir) {
			continue // ended meanwhile, or somebody else's
		}
		program, _, _ := strings.Cut(string(line), "\x00")
		if name == "" || filepath.Base(program) == name {
			pids = append(pids, pid)
		}
	}
	return pids
}

// listeningPorts returns the TCP ports a process listens on, ascending.
func listeningPorts(t *testing.T, pid int) []int {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	own := make(map[string]bool) // inodes of sockets
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		require.NoError(t, err)
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var found []int
	for _, table := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "net", table))
		if errors.Is(err, fs.ErrNotExist) {
			continue // no IPv6
		}
		require.NoError(t, err)
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line) // slot, local address, remote address, state, …, inode in the tenth
			if len(fields) < 10 || fields[3] != tcpListen || !own[fields[9]] {
				continue
			}
			_, digits, _ := strings.Cut(fields[1], ":")
			port, err := strconv.ParseUint(digits, 16, 16)
			require.NoError(t, err)
			found = append(found, int(port))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// ports returns the ports of URLs.
func ports(t *testing.T, urls ...string) []int {
	t.Helper()
	var list []int
	for _, text := range urls {
		u, err := url.Parse(text)
		require.NoError(t, err)
		port, err := strconv.Atoi(u.Port())
		require.NoError(t, err, text)
		list = append(list, port)
	}
	return list
}

// requireClosed checks that nobody listens at the URLs any more.
func requireClosed(t *testing.T, urls ...string) {
	t.Helper()
	for _, port := range ports(t, urls...) {
		dialer := net.Dialer{Timeout: time.Second}
		conn, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = conn.Close()
		}
		require.Errorf(t, err, "port %d is still open", port)
	}
}
