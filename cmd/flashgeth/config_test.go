// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dump runs dumpconfig and returns the configuration that the arguments result in.
func dump(t *testing.T, args ...string) string {
	t.Helper()
	return mustRun(t, append([]string{"dumpconfig"}, args...)...).Stdout
}

// save writes a configuration file and returns its name.
func save(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.toml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestConfigRoundTrip(t *testing.T) {
	t.Parallel()
	datadir := t.TempDir()
	first := dump(t, "--datadir", datadir, "--networkid", "5", "--syncmode", "full", "--state.scheme", "hash",
		"--http", "--http.api", "eth,debug", "--ws.port", "1", "--txpool.globalslots", "9", "--metrics",
		"--rollup.sequencerhttp", "http://127.0.0.1:1", "--override.jovian", "77", "--miner.gasprice", "3",
		"--flashblocks.enabled", "--flashblocks.block-time", "50", "--flashblocks.metadata", "trimmed",
		"--rollup.chain-block-time", "1000", "--flashblocks.disable-state-root=false")
	for _, want := range []string{
		"NetworkId = 5\n", "OverrideOptimismJovian = 77\n", `HTTPModules = ["eth", "debug"]`, "GlobalSlots = 9\n",
		"[Flashblocks]\n", "Interval = 50000000\n", `Metadata = "trimmed"`, "PublishRoots = true\n", "BlockTime = 1000000000\n",
	} {
		require.Contains(t, first, want)
	}
	require.Equal(t, first, dump(t, "--config", save(t, first)))
}

// TestConfigOfGeth loads what geth's dumpconfig writes: our own dump without our own section.
func TestConfigOfGeth(t *testing.T) {
	t.Parallel()
	datadir := t.TempDir()
	full := dump(t, "--datadir", datadir)
	gethPart, ours, found := strings.Cut(full, "[Flashblocks]")
	require.True(t, found)
	require.NotContains(t, ours, "\n[", "a section of geth comes after ours")
	require.Equal(t, full, dump(t, "--config", save(t, gethPart)))
}

func TestConfigOfOperator(t *testing.T) {
	t.Parallel()
	r := mustRun(t, "dumpconfig", "--datadir", t.TempDir(), "--config", "testdata/op-geth.toml",
		"--http.port", "28545", "--ethstats", "other:secret@127.0.0.1:3001")
	for _, want := range []string{
		"NetworkId = 901901\n", `RollupSequencerHTTP = "http://127.0.0.1:8547"`, "GlobalSlots = 20000\n",
		"Lifetime = 3600000000000\n", "GasPrice = 7\n", "HTTPPort = 28545\n", "AuthPort = 18551\n",
		`HTTPModules = ["eth", "net", "debug"]`, "MaxPeers = 3\n", `URL = "other:secret@127.0.0.1:3001"`, "Port = 16060\n",
	} {
		require.Contains(t, r.Stdout, want)
	}
	require.Contains(t, r.Stderr, "Eth.TrieCleanCacheJournal", "no warning about the retired key")
}

func TestConfigDumpToFile(t *testing.T) {
	t.Parallel()
	datadir, file := t.TempDir(), filepath.Join(t.TempDir(), "out.toml")
	require.Empty(t, dump(t, "--datadir", datadir, file))
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, dump(t, "--datadir", datadir), string(written))
}
