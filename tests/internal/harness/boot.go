// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package harness

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
)

// loadSeed makes every run send the same transactions.
const loadSeed = 1

// Boot starts a devnet of the programs below bin/, in a directory of its own. It ends with the test; the end of a
// process that nobody asked for fails the test.
func Boot(t testing.TB, cfg devnet.Config) *devnet.Devnet {
	t.Helper()
	cfg.NodeBinary = Program(t, "flashgeth", "build")
	if cfg.Proxy {
		cfg.ProxyBinary = Program(t, "flashproxy", "build")
	}
	if cfg.Boost {
		cfg.BoostBinary = Program(t, "flashboost", "build")
	}
	for _, name := range []string{"op-node", "op-batcher", "geth"} {
		cfg.OpStackDir = filepath.Dir(Program(t, "opstack/"+name, "opstack"))
	}
	cfg.DataDir = filepath.Join(t.TempDir(), "devnet")

	begin := time.Now()
	net, err := devnet.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Logf("the devnet is up after %v", time.Since(begin).Round(time.Millisecond))
	t.Cleanup(func() { shutdown(t, net) })
	return net
}

// StartLoad sends transactions to an RPC endpoint, so many per second, until the end of the test.
func StartLoad(t testing.TB, url string, rate int) *devnet.Load {
	t.Helper()
	load, err := devnet.NewLoad(devnet.LoadConfig{RPC: url, Rate: rate, Seed: loadSeed})
	require.NoError(t, err)
	require.NoError(t, load.Start(t.Context()))
	t.Cleanup(load.Stop)
	return load
}

// shutdown stops a devnet at the end of a test. It fails the test if a part had ended by itself or did not stop
// cleanly, and shows the ends of all logs if the test has failed.
func shutdown(t testing.TB, net *devnet.Devnet) {
	t.Helper()
	select {
	case err := <-net.Failed():
		t.Errorf("a part of the devnet failed: %v", err)
	default:
	}
	err := net.Stop()
	if err != nil {
		t.Errorf("the devnet did not stop cleanly: %v", err)
	}
	if t.Failed() {
		t.Log(Tails(net.Endpoints().DataDir))
	}
}
