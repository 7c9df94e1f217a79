// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package opstack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, content string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o400))
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	var (
		optimism = filepath.Join(t.TempDir(), "optimism")
		geth     = filepath.Join(t.TempDir(), "geth")
		source   = filepath.Join(t.TempDir(), "source")
	)
	write(t, "package main", optimism, "op-node", "cmd", "main.go")
	write(t, "stale  superchain-configs.zip\n", optimism, bundleDigest)
	write(t, "a page", optimism, "docs", "page.md")
	write(t, "kept", optimism, "op-node", "docs", "page.md")
	write(t, "the bundle", geth, gethBundle)

	// Twice: the sources of an interrupted build are replaced.
	for range 2 {
		require.NoError(t, prepare(source, optimism, geth))
	}
	require.FileExists(t, filepath.Join(source, "op-node", "cmd", "main.go"))
	require.FileExists(t, filepath.Join(source, "op-node", "docs", "page.md"))
	require.NoDirExists(t, filepath.Join(source, "docs"))

	bundle, err := os.ReadFile(filepath.Join(source, optimismBundle))
	require.NoError(t, err)
	require.Equal(t, "the bundle", string(bundle))
	digest, err := os.ReadFile(filepath.Join(source, bundleDigest))
	require.NoError(t, err)
	sum := sha256.Sum256(bundle)
	require.Equal(t, hex.EncodeToString(sum[:])+"  superchain-configs.zip\n", string(digest))
}

func TestPrepareWithoutBundle(t *testing.T) {
	t.Parallel()
	optimism := t.TempDir()
	write(t, "package main", optimism, "main.go")
	require.ErrorContains(t, prepare(filepath.Join(t.TempDir(), "source"), optimism, t.TempDir()), "bundle")
}

func TestUpToDate(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	require.False(t, upToDate(out, "v1"), "empty")
	for _, program := range Programs {
		write(t, "", out, program)
	}
	require.False(t, upToDate(out, "v1"), "no version")
	write(t, "v1", out, versionFile)
	require.True(t, upToDate(out, "v1"))
	require.False(t, upToDate(out, "v2"), "another version")
	require.NoError(t, os.Remove(filepath.Join(out, Programs[0])))
	require.False(t, upToDate(out, "v1"), "a program is missing")
}

func TestFindModule(t *testing.T) {
	t.Parallel()
	optimism, err := findModule(t.Context(), optimismModule)
	require.NoError(t, err)
	require.Equal(t, optimismModule, optimism.Path)
	geth, err := findModule(t.Context(), gethModule)
	require.NoError(t, err)
	require.Equal(t, "github.com/ethereum-optimism/op-geth", geth.Path, "the replacement")
	_, err = findModule(t.Context(), "example.invalid/none")
	require.ErrorContains(t, err, "example.invalid/none")
}

func TestBuildNeedsDirectories(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, Build(t.Context(), Config{Progress: new(bytes.Buffer)}), "must be given")
}
