// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/eth/ethconfig"
	_ "github.com/ethereum/go-ethereum/eth/tracers/native" // callTracer

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

func TestMain(m *testing.M) { ethtest.Main(m) }

type (
	object = ethtest.Object
	answer = ethtest.Answer
)

// harness is a network whose follower serves its pending state.
type harness struct {
	*ethtest.Network
	t       testing.TB
	backend *Backend
}

func newHarness(t testing.TB) *harness {
	t.Helper()
	h := &harness{t: t}
	h.Network = ethtest.NewNetwork(t, func(n *ethtest.Node, cfg *ethconfig.Config, source *ethtest.Source) {
		var err error
		h.backend, err = Register(n.Stack, n.Eth, Config{Source: source, Eth: cfg, GraphQL: true})
		require.NoError(t, err)
	})
	return h
}

// serve makes a node with op-geth's Engine API serve the pending state of an overlay that gets no flashblocks.
func serve(t *testing.T, n *ethtest.Node) *Backend {
	t.Helper()
	n.RegisterEngine()
	processor, err := overlay.New(overlay.Config{Chain: n.Eth.BlockChain()})
	require.NoError(t, err)
	backend, err := Register(n.Stack, n.Eth, Config{Source: processor})
	require.NoError(t, err)
	return backend
}
