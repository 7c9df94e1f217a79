// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testprogram"
)

// requireFatal checks that a start ended with one sentence on stderr, and with nothing else that was
// not logged.
func requireFatal(t *testing.T, r testprogram.Result, want string) {
	t.Helper()
	require.Equal(t, 1, r.Code, r.Stderr)
	var said []string
	for line := range strings.Lines(r.Stderr) {
		if !strings.HasPrefix(line, "INFO ") && !strings.HasPrefix(line, "WARN ") {
			said = append(said, strings.TrimSpace(line))
		}
	}
	require.Len(t, said, 1, r.Stderr)
	require.True(t, strings.HasPrefix(said[0], "Fatal: "), said[0])
	require.Contains(t, said[0], want)
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	bad := save(t, "[Flashblocks]\nIntervall = 1\n")
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"interval zero":        {[]string{"--flashblocks.block-time", "0"}, "flashblocks interval must be greater than zero"},
		"interval negative":    {[]string{"--flashblocks.block-time=-5"}, "flashblocks interval must be greater than zero"},
		"interval not a count": {[]string{"--flashblocks.block-time", "200ms"}, `invalid value "200ms" for flag -flashblocks.block-time`},
		"interval over block":  {[]string{"--rollup.chain-block-time", "100"}, "flashblocks interval 200ms is longer than the block time 100ms"},
		"interval out of hand": {[]string{"--flashblocks.block-time", "9223372036854775807"}, "--flashblocks.block-time 9223372036854775807 is out of range"},
		"buffer negative":      {[]string{"--flashblocks.end-buffer-ms=-1"}, "flashblocks end buffer -1ms must not be negative"},
		"port":                 {[]string{"--flashblocks.port", "70000"}, "flashblocks port 70000 is not a TCP port"},
		"subscribers":          {[]string{"--flashblocks.ws-subscriber-limit", "0"}, "flashblocks subscriber limit 0 must be greater than zero"},
		"metadata":             {[]string{"--flashblocks.metadata", "base"}, `flashblocks metadata form "base" is unknown`},
		"metrics address":      {[]string{"--flashblocks.metrics-addr", "9001"}, `flashblocks metrics address "9001" is not host:port`},
		"stream to follow":     {[]string{"--flashblocks.url", "ws://a"}, "flashblocks.url cannot be combined with flashblocks.enabled: a builder serves pending state from its own stream"},
		"dev mode":             {[]string{"--dev"}, "cannot be combined with --dev"},
		"light client":         {[]string{"--beacon.api", "http://127.0.0.1:1"}, "cannot be combined with --dev or --beacon.api"},
		"unknown flag":         {[]string{"--flashblocks.interval", "200"}, "flag provided but not defined: -flashblocks.interval"},
		"unknown command":      {[]string{"run"}, `invalid command: "run"`},
		"no such file":         {[]string{"--config", "testdata/none.toml"}, "testdata/none.toml: no such file"},
		"unknown key":          {[]string{"--config", bad}, "field 'Intervall' is not defined in params.Flashblocks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			datadir := filepath.Join(t.TempDir(), "data")
			args := append([]string{"--datadir", datadir, "--flashblocks.enabled"}, tc.args...)
			requireFatal(t, run(t, args...), tc.want)
			require.NoDirExists(t, datadir, "the node was half made")
		})
	}
}

func TestFollowerStartErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"not a websocket": {[]string{"--flashblocks.url", "https://a"}, `flashblocks.url, stream 1: the URL must begin with ws:// or wss://, not "https"`},
		"second is bad":   {[]string{"--websocket-url", "ws://a,wss://"}, "flashblocks.url, stream 2: the URL has no host"},
		"impatient":       {[]string{"--flashblocks.url", "ws://a", "--flashblocks.upstream-timeout-ms", "0"}, "flashblocks upstream timeout 0s is below the shortest supported"},
		"never ready":     {[]string{"--flashblocks.url", "ws://a", "--flashblocks.ready-max-age-ms", "0"}, "flashblocks readiness age 0s must be greater than zero"},
		"dev mode":        {[]string{"--flashblocks.url", "ws://a", "--dev"}, "cannot be combined with --dev"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			datadir := filepath.Join(t.TempDir(), "data")
			requireFatal(t, run(t, append([]string{"--datadir", datadir}, tc.args...)...), tc.want)
			require.NoDirExists(t, datadir, "the node was half made")
		})
	}
}

func TestStartErrorsOfGeth(t *testing.T) {
	t.Parallel()
	datadir := t.TempDir()
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"init without file":   {[]string{"init"}, "need genesis.json file as the only argument"},
		"init not JSON":       {[]string{"init", "testdata/op-geth.toml"}, "invalid genesis file"},
		"attach nowhere":      {[]string{"attach"}, "attach to the node"},
		"attach twice":        {[]string{"attach", "a", "b"}, "too many arguments"},
		"influx v1 and v2":    {[]string{"dumpconfig", "--metrics.influxdb", "--metrics.influxdb.token", "x"}, "are for InfluxDB v2 only"},
		"influx v2 and v1":    {[]string{"dumpconfig", "--metrics.influxdbv2", "--metrics.influxdb.username", "x"}, "are for InfluxDB v1 only"},
		"command's own flags": {[]string{"removedb", "--http"}, "flag provided but not defined: -http"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{tc.args[0], "--datadir", datadir}, tc.args[1:]...)
			requireFatal(t, run(t, args...), tc.want)
		})
	}
	requireFatal(t, run(t, quiet(t.TempDir(), "--dev", "--synctarget", "0x12")...), "sync target hash is not a valid hex hash: 0x12")
}

func TestStartPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) }) // after the parallel cases, unlike defer
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)

	for name, args := range map[string][]string{
		"stream":  {"--flashblocks.port", port},
		"metrics": {"--flashblocks.port", "0", "--flashblocks.metrics-addr", taken.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			datadir := initialised(t)
			requireFatal(t, run(t, quiet(datadir, append(args, "--flashblocks.enabled")...)...), "address already in use")
			require.NoFileExists(t, filepath.Join(datadir, "geth.ipc"), "the node left its socket")
		})
	}
}

func TestStartNotOptimism(t *testing.T) {
	t.Parallel()
	r := run(t, quiet(t.TempDir(), "--flashblocks.enabled", "--flashblocks.port", "0")...)
	requireFatal(t, r, "OP Stack")
}

// TestDisabledBuilderWarns: op-rbuilder is always on, so its operators may give the flags without the switch.
func TestDisabledBuilderWarns(t *testing.T) {
	t.Parallel()
	cmd := command(t, "dumpconfig", "--datadir", t.TempDir(), "--flashblocks.block-time", "0")
	cmd.Env = append(cmd.Env, "FLASHBLOCKS_WS_PORT=1234")
	r := testprogram.Finish(t, cmd)
	require.Zero(t, r.Code, r.Stderr)
	require.Contains(t, r.Stderr, "flag=--flashblocks.block-time")
	require.Contains(t, r.Stderr, "flag=--flashblocks.port")
	require.NotContains(t, r.Stderr, "flag=--flashblocks.addr")
	require.Contains(t, r.Stdout, "Enabled = false\n")
}

// TestFollowerWarns: flags of a builder mean nothing to a follower, and the other way round.
func TestFollowerWarns(t *testing.T) {
	t.Parallel()
	r := mustRun(t, "dumpconfig", "--datadir", t.TempDir(), "--flashblocks.url", "ws://a, wss://b", "--flashblocks.port", "1", "--flashblocks.strict")
	require.Contains(t, r.Stderr, "flag=--flashblocks.port")
	require.NotContains(t, r.Stderr, "flag=--flashblocks.strict")
	require.NotContains(t, r.Stderr, "flag=--flashblocks.url")
	require.Contains(t, r.Stdout, `URLs = ["ws://a", "wss://b"]`)

	r = mustRun(t, "dumpconfig", "--datadir", t.TempDir(), "--flashblocks.enabled", "--flashblocks.strict")
	require.Contains(t, r.Stderr, "flag=--flashblocks.strict")
}

func TestRemoveDB(t *testing.T) {
	t.Parallel()
	datadir := initialised(t)
	state := filepath.Join(datadir, "geth", "chaindata")
	chain := filepath.Join(state, "ancient", "chain")
	require.NotEmpty(t, files(t, state))
	require.NotEmpty(t, files(t, chain))

	mustRun(t, "removedb", "--datadir", datadir, "--remove.state", "--remove.chain=false")
	require.Empty(t, files(t, state))
	require.NotEmpty(t, files(t, chain))

	mustRun(t, "removedb", "--datadir", datadir, "--remove.state=false", "--remove.chain")
	require.Empty(t, files(t, chain))
}

// files are the names of the files, without folders, in a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}
