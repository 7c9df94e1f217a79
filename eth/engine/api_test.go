// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package engine

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/eth/catalyst"

	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// Every method listed is served, and every method op-geth's type or ours has is listed.
func TestCapabilitiesAreServed(t *testing.T) {
	t.Parallel()
	n := newNode(t, ethtest.Jovian, withMiner)
	var caps, theirs []string
	n.Call("engine_exchangeCapabilities", []string{}).Into(t, &caps)
	newNode(t, ethtest.Jovian, stock).Call("engine_exchangeCapabilities", []string{}).Into(t, &theirs)
	require.ElementsMatch(t, theirs, caps, "op-geth's list and ours differ")
	require.NotEmpty(t, caps)

	for _, method := range caps {
		require.NotEqual(t, ethtest.CodeNotFound, n.Call(method).Code, "%s is listed but not served", method)
	}
	require.Equal(t, ethtest.CodeNotFound, n.Call("engine_open").Code, "the test cannot tell what is not served")

	for _, typ := range []reflect.Type{reflect.TypeFor[*API](), reflect.TypeFor[*catalyst.ConsensusAPI]()} {
		for i := range typ.NumMethod() {
			name := typ.Method(i).Name
			method := "engine_" + strings.ToLower(name[:1]) + name[1:]
			require.Equal(t, name != "ExchangeCapabilities", slices.Contains(caps, method), "%s", method)
		}
	}
}

// Services registered later win per method: ours are served, and what ours lack stays op-geth's.
func TestRegistrationOrder(t *testing.T) {
	t.Parallel()
	fake := new(fakeBuilder)
	n := newNode(t, ethtest.Jovian, func(t testing.TB, n *ethtest.Node) {
		t.Helper()
		stock(t, n) // as if someone had registered op-geth's before
		withBuilder(fake)(t, n)
	})
	n.Build(n.GenesisHash(), ethtest.Jovian.Attributes(ethtest.GenesisTime, 0))
	require.Len(t, fake.jobs, 1, "op-geth's engine API was served")

	require.Equal(t, "true", n.Call("miner_setGasLimit", "0x5").Result)
	require.Len(t, fake.limits, 1, "op-geth's miner API was served")
	require.Equal(t, "true", n.Call("miner_setExtra", "x").Result, "a method of op-geth's miner API is lost")
}
