// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"testing"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/eth/ethconfig"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

func TestMain(m *testing.M) { ethtest.Main(m) }

type object = ethtest.Object

// testNode is a node with this package registered or not.
type testNode struct {
	*ethtest.Node
	service *Service
}

// setup registers an Engine API on a node that has not been started.
type setup func(t testing.TB, n *testNode)

// stock registers op-geth's own Engine API.
func stock(t testing.TB, n *testNode) {
	t.Helper()
	n.RegisterEngine()
}

// newUnstarted makes a node and its eth service.
func newUnstarted(t testing.TB, f ethtest.Fork, genesis *core.Genesis, changes ...func(*ethconfig.Config)) *testNode {
	t.Helper()
	return &testNode{Node: ethtest.NewNode(t, f, genesis, changes...)}
}

// newNode makes and starts a node of the fork.
func newNode(t testing.TB, f ethtest.Fork, register setup) *testNode {
	t.Helper()
	n := newUnstarted(t, f, f.Genesis())
	register(t, n)
	n.Start()
	return n
}
