// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

const (
	// minNode is the oldest Node.js that the scripts run on.
	minNode = 20

	// installTimeout bounds npm ci: seconds from a cache, more from a registry that is slow today.
	installTimeout = 5 * time.Minute

	// scriptTimeout bounds one script, which takes some thirty slots on a machine that is not busy.
	scriptTimeout = 8 * time.Minute
)

// nodeMissing tells why the scripts cannot run here, empty if they can.
func nodeMissing(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			return name + " is not installed"
		}
	}
	out, err := exec.CommandContext(t.Context(), "node", "--version").Output()
	if err != nil {
		return fmt.Sprintf("node --version fails: %v", err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < minNode {
		return fmt.Sprintf("Node.js %s is older than %d", strings.TrimSpace(string(out)), minNode)
	}
	return ""
}

// loudly tells on standard error too, which go test shows at once.
func loudly(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Log(text)
	fmt.Fprintln(os.Stderr, "==> "+text)
}

// install puts the scripts and the packages of the lock file below build/ and returns the directory. The
// packages are installed anew when the lock file has changed.
func install(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(harness.Root(t), "build", "clients")
	require.NoError(t, os.MkdirAll(dir, 0o750))
	sources, err := filepath.Glob(filepath.Join("js", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	digest := sha256.New()
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(source)), text, 0o600))
		if strings.HasSuffix(source, ".json") {
			_, _ = digest.Write(text)
		}
	}
	var (
		want  = hex.EncodeToString(digest.Sum(nil))
		stamp = filepath.Join(dir, "installed")
	)
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return dir
	}
	loudly(t, "installing viem and ethers with npm ci into build/clients")
	require.NoError(t, os.RemoveAll(stamp))
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), installTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoErrorf(t, cmd.Run(), "npm ci:\n%s", &out)
	require.NoError(t, os.WriteFile(stamp, []byte(want), 0o600))
	loudly(t, "installed after %v", time.Since(begin).Round(time.Millisecond))
	return dir
}

// script is a run of one of the scripts.
type script struct {
	dir, name string
	at        target
	keys      []string
	idle      bool // the sequencer is stopped
}

// run runs the script and passes on what it says.
func (s script) run(t *testing.T, n *network) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptTimeout)
	defer cancel()
	cfg := n.Config()
	cmd := exec.CommandContext(ctx, "node", s.name)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(),
		"RPC="+s.at.rpc, "WS="+s.at.ws, "KEYS="+strings.Join(s.keys, ","),
		"CHAIN_ID="+strconv.FormatUint(n.ends.ChainID, 10),
		"INTERVAL_MS="+strconv.FormatInt(cfg.Interval.Milliseconds(), 10),
		"BLOCK_MS="+strconv.FormatInt(cfg.BlockTime.Milliseconds(), 10),
	)
	if s.idle {
		cmd.Env = append(cmd.Env, "IDLE=1")
	}
	out := new(output)
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	t.Logf("%s at the %s:\n%s", s.name, s.at.name, out.text())
	require.NoError(t, err, "%s at the %s", s.name, s.at.name)
	require.Contains(t, out.text(), " passed, 0 failed")
}

// output collects what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

var _ io.Writer = (*output)(nil)

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// The lock file pins every package by version and digest, and names no place to get it from.
func TestLockFile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("js", "package-lock.json"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "resolved")
	require.NotContains(t, string(text), "://")
	require.Equal(t, strings.Count(string(text), `"version"`), strings.Count(string(text), `"integrity"`))
}
