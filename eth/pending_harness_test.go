// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/eth/ethconfig"
	_ "github.com/ethereum/go-ethereum/eth/tracers/native" // callTracer

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// pendingHarness is a network whose follower serves its pending state.
type pendingHarness struct {
	*ethtest.Network
	t       testing.TB
	backend *Backend
}

func newPendingHarness(t testing.TB) *pendingHarness {
	t.Helper()
	h := &pendingHarness{t: t}
	h.Network = ethtest.NewNetwork(t, func(n *ethtest.Node, cfg *ethconfig.Config, source *ethtest.Source) {
		var err error
		h.backend, err = RegisterPending(n.Stack, n.Eth, PendingConfig{Eth: cfg, GraphQL: true}, source)
		require.NoError(t, err)
	})
	return h
}
