// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum/go-ethereum/flashgeth/tests/internal/harness"
)

// TestDevnetCommand runs `devnet --boost --json` as a script does: what it announces is there at once, the
// blocks are what boost published, and nothing of it is left behind.
func TestDevnetCommand(t *testing.T) {
	t.Parallel()
	harness.Program(t, "flashboost", "build")
	harness.Program(t, "opstack/geth", "opstack")
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), harness.Program(t, "devnet", "build"),
		"--boost", "--json", "--block-time", "1s", "--duration", "6s", "--load", "20", "--batcher=false",
		"--datadir", filepath.Join(t.TempDir(), "devnet"))
	cmd.Dir = harness.Root(t) // the programs are found from there, as `make devnet` finds them
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill() // the children end with it
			_ = cmd.Wait()
		}
		if t.Failed() {
			t.Logf("devnet said:\n%s", stderr.String())
		}
	})
	lines := json.NewDecoder(stdout)
	var ends map[string]any
	require.NoError(t, lines.Decode(&ends))
	requireBoost(t, ends)

	sealed := 0
	for lines.More() {
		var line struct {
			Sealed *bool `json:"sealed"`
		}
		require.NoError(t, lines.Decode(&line))
		require.NotNil(t, line.Sealed)
		require.True(t, *line.Sealed)
		sealed++
	}
	require.NoError(t, cmd.Wait(), stderr.String())
	require.Greater(t, sealed, 6, "sealed flashblocks")
	require.Contains(t, stderr.String(), "starting flashboost")
	require.Contains(t, stderr.String(), "published == sealed")
	for name, value := range ends {
		if text, ok := value.(string); ok && strings.Contains(text, "://") {
			requireClosed(t, name, text)
		}
	}
}

// requireBoost uses every endpoint that a devnet with boost adds.
func requireBoost(t *testing.T, ends map[string]any) {
	t.Helper()
	for _, name := range []string{"boost_rpc", "builder_rpc", "sequencer_rpc"} {
		var id string
		ask(t, ends[name], &id, "eth_chainId")
		require.Equal(t, "0x385", id, name)
	}
	var mode struct {
		Mode string `json:"execution_mode"`
	}
	ask(t, ends["boost_debug"], &mode, "debug_getExecutionMode")
	require.Equal(t, "enabled", mode.Mode)
	var version string
	ask(t, ends["sequencer_rpc"], &version, "web3_clientVersion")
	require.True(t, strings.HasPrefix(version, "Geth/"), "the local execution layer is op-geth's own: %s", version)
	ask(t, ends["builder_rpc"], &version, "web3_clientVersion")
	require.Contains(t, strings.ToLower(version), "flashgeth")

	stream, ok := ends["boost_flashblocks_ws"].(string)
	require.True(t, ok)
	r := record(t, stream)
	n := &network{t: t, recorder: r}
	n.await("flashblocks come", func() bool { return r.published(1, 1<<32) > 0 })
}

// ask makes one call.
func ask(t *testing.T, endpoint, result any, method string) {
	t.Helper()
	text, ok := endpoint.(string)
	require.True(t, ok, "%s: %v", method, endpoint)
	client, err := rpc.DialContext(t.Context(), text)
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.CallContext(t.Context(), result, method), text)
}

// requireClosed checks that nobody listens behind a URL any more.
func requireClosed(t *testing.T, name, text string) {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", u.Host)
	if err == nil {
		_ = conn.Close()
	}
	require.Error(t, err, "%s is left behind", name)
}
