// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// configCase is the default configuration with a change.
type configCase struct {
	name   string
	change func(*Config)
	want   string // of the error, empty for none
}

// checkConfigs checks each configuration; refused compares the error with what is wanted.
func checkConfigs(t *testing.T, cases []configCase, refused func(t require.TestingT, err error, want string, msgAndArgs ...any)) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultConfig
			test.change(&cfg)
			err := cfg.Check()
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			refused(t, err, test.want)
		})
	}
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	checkConfigs(t, []configCase{
		{"default", func(*Config) {}, ""},
		{"one second", func(c *Config) { c.BlockTime = time.Second }, ""},
		{"interval of a block", func(c *Config) { c.Interval = c.BlockTime }, ""},
		{"plain node without interval", func(c *Config) { c.Plain, c.Follower, c.Proxy, c.Interval = true, false, false, 0 }, ""},
		{"plain node with follower", func(c *Config) { c.Plain = true }, "nothing to follow"},
		{"plain node with proxy", func(c *Config) { c.Plain, c.Follower = true, false }, "no stream for a proxy"},
		{"no proxy", func(c *Config) { c.Proxy, c.ProxyBinary = false, "" }, ""},
		{"no binary of the proxy", func(c *Config) { c.ProxyBinary = "" }, "proxy binary"},
		{"boost", func(c *Config) { c.Boost, c.External, c.BoostArgs = true, true, []string{"--log-format", "json"} }, ""},
		{"plain node with boost", func(c *Config) { c.Plain, c.Follower, c.Proxy, c.Boost = true, false, false, true }, "no builder for boost"},
		{"no binary of boost", func(c *Config) { c.Boost, c.BoostBinary = true, "" }, "boost binary"},
		{"external state roots without boost", func(c *Config) { c.External = true }, "need a devnet with boost"},
		{"arguments of boost without it", func(c *Config) { c.BoostArgs = []string{"--metrics"} }, "need a devnet with boost"},
		{"something between without boost", func(c *Config) { c.Between = func(l Links) Links { return l } }, "need a devnet with boost"},
		{"fraction of a second", func(c *Config) { c.BlockTime = 1500 * time.Millisecond }, "whole seconds"},
		{"below a second", func(c *Config) { c.BlockTime = 500 * time.Millisecond }, "at least 1s"},
		{"zero block time", func(c *Config) { c.BlockTime = 0 }, "at least 1s"},
		{"L1 block time", func(c *Config) { c.L1BlockTime = 0 }, "L1 block time"},
		{"no interval", func(c *Config) { c.Interval = 0 }, "greater than zero"},
		{"interval below the shortest", func(c *Config) { c.Interval = time.Millisecond }, "shortest"},
		{"interval of a fraction", func(c *Config) { c.Interval = 20500 * time.Microsecond }, "whole milliseconds"},
		{"interval above the block time", func(c *Config) { c.Interval = 3 * time.Second }, "longer than the block time"},
		{"gas limit", func(c *Config) { c.GasLimit = 21000 }, "gas limit"},
		{"no node", func(c *Config) { c.NodeBinary = "" }, "node binary"},
		{"no op-stack", func(c *Config) { c.OpStackDir = "" }, "op-node"},
	}, require.ErrorContains)
}

func TestMissingProgramNamesTheTarget(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig
	cfg.NodeBinary, cfg.ProxyBinary = "/bin/sh", "/bin/sh"
	cfg.OpStackDir = t.TempDir()
	_, err := Start(t.Context(), cfg)
	require.ErrorContains(t, err, "make opstack")

	cfg.NodeBinary = filepath.Join(cfg.OpStackDir, "none")
	for _, name := range []string{"op-node", "op-batcher"} {
		require.NoError(t, os.WriteFile(filepath.Join(cfg.OpStackDir, name), []byte("#!/bin/sh\n"), 0o700))
	}
	_, err = Start(t.Context(), cfg)
	require.ErrorContains(t, err, "make build")

	cfg.NodeBinary, cfg.ProxyBinary = "/bin/sh", filepath.Join(cfg.OpStackDir, "flashproxy")
	_, err = Start(t.Context(), cfg)
	require.ErrorContains(t, err, "the program "+cfg.ProxyBinary+" cannot be run")
	require.ErrorContains(t, err, "make build")

	cfg.Boost, cfg.ProxyBinary, cfg.BoostBinary = true, "/bin/sh", "/bin/sh"
	_, err = Start(t.Context(), cfg)
	require.ErrorContains(t, err, "the program "+filepath.Join(cfg.OpStackDir, "geth")+" cannot be run")
	require.ErrorContains(t, err, "make opstack")
}

func TestLayout(t *testing.T) {
	t.Parallel()
	t.Run("temporary", func(t *testing.T) {
		t.Parallel()
		l, err := newLayout("")
		require.NoError(t, err)
		require.DirExists(t, l.root)
		require.NoError(t, l.remove())
		require.NoDirExists(t, l.root)
	})
	t.Run("chosen", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "new")
		l, err := newLayout(dir)
		require.NoError(t, err)
		old := l.path("chain")
		require.NoError(t, os.WriteFile(old, nil, 0o600))
		require.NoError(t, l.remove())
		require.FileExists(t, old)

		_, err = newLayout(dir)
		require.NoError(t, err)
		require.NoFileExists(t, old, "an earlier devnet is cleared")
	})
	t.Run("foreign", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		precious := filepath.Join(dir, "precious")
		require.NoError(t, os.WriteFile(precious, nil, 0o600))
		_, err := newLayout(dir)
		require.ErrorContains(t, err, "no earlier devnet")
		require.FileExists(t, precious)
	})
}
