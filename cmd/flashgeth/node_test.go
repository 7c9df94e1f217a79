// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	out := mustRun(t, "version").Stdout
	for _, want := range []string{"Flashgeth\n", "Version: " + release + "\n", "Op-geth Version: ", "Geth Version: 1.17.2-stable\n", "Go Version: go"} {
		require.Contains(t, out, want)
	}
}

// TestNode inits a data directory, runs a node on it and talks to it over every way in, with and without
// flashblocks.
func TestNode(t *testing.T) {
	t.Parallel()
	genesis := testGenesis(t)
	for name, flags := range map[string][]string{
		"op-geth":     nil,
		"flashblocks": {"--flashblocks.enabled", "--flashblocks.port", "0", "--flashblocks.metrics-addr", "127.0.0.1:0"},
		"follower":    {"--flashblocks-url", "ws://127.0.0.1:1", "--flashblocks.metrics-addr", "127.0.0.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			datadir := t.TempDir()
			mustRun(t, "init", "--datadir", datadir, genesis)
			node := start(t, quiet(datadir, append(flags, "--http", "--http.port", "0", "--graphql", "--ws", "--ws.port", "0")...)...)
			ipc := filepath.Join(datadir, "geth.ipc")
			require.Equal(t, ipc, node.awaitLog(`IPC endpoint opened +url=(\S+)`))
			endpoint := "http://" + node.awaitLog(`HTTP server started +endpoint=(\S+) auth=false`)
			if flags != nil {
				requireStatus(t, node.awaitLog(`Serving flashblocks metrics +url=(\S+)`), http.StatusOK)
				requireStatus(t, endpoint+"/healthz", http.StatusOK)
				requireStatus(t, endpoint+"/readyz", http.StatusServiceUnavailable) // nobody drives it
			}

			for _, url := range []string{ipc, endpoint} {
				client, err := rpc.DialContext(t.Context(), url)
				require.NoError(t, err)
				defer client.Close()
				var id hexutil.Uint64
				require.NoError(t, client.CallContext(t.Context(), &id, "eth_chainId"))
				require.Equal(t, hexutil.Uint64(chainID), id)
			}
			requireStatus(t, endpoint+"/graphql/ui", http.StatusOK)

			attached := mustRun(t, "attach", "--datadir", datadir, "--exec", "eth.blockNumber + ' ' + web3.version.node")
			require.Contains(t, attached.Stdout, `"0 Geth/v`)
			require.Contains(t, attached.Stdout, "-flashgeth-"+release)
			require.Contains(t, node.interrupt(), "Got interrupt, shutting down...")
		})
	}
}

// requireStatus fetches a page for its status.
func requireStatus(t *testing.T, url string, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, status, resp.StatusCode, url)
}

// TestConsole runs a developer chain and a script on it; without a data directory nothing is left behind.
func TestConsole(t *testing.T) {
	t.Parallel()
	r := mustRun(t, "console", "--dev", "--authrpc.port", "0", "--ipcdisable", "--exec", "eth.chainId() + eth.accounts.length")
	require.Contains(t, r.Stdout, "0x5391")
	require.Contains(t, r.Stderr, "prefunded account")
}
