// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/eth/engine"
	"github.com/ethereum/go-ethereum/flashgeth/eth/internal/ethtest"
)

// The flags are checked against the chain that a node has, unless the operator tells its block time.
func TestRegisterLearnsBlockTime(t *testing.T) {
	t.Parallel()
	other := newNode(t, ethtest.Jovian, stock)
	block := other.Insert(other.Payload(other.Build(other.GenesisHash(), ethtest.Jovian.Attributes(ethtest.GenesisTime, 1))))

	n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	cfg := testConfig()
	cfg.Interval = 3 * time.Second
	require.Zero(t, engine.LearnBlockTime(n.Eth.BlockChain()))
	_, err := n.Eth.BlockChain().InsertChain(types.Blocks{other.Eth.BlockChain().GetBlockByHash(block)})
	require.NoError(t, err)
	_, err = Register(n.Stack, n.Eth, cfg)
	require.EqualError(t, err, "flashblocks interval 3s is longer than the block time 2s")

	cfg.BlockTime = 4 * time.Second
	_, err = Register(n.Stack, n.Eth, cfg)
	require.NoError(t, err)
}

// A chain at its genesis tells nothing: the builder warns with the first payload.
func TestRegisterWithoutBlockTime(t *testing.T) {
	t.Parallel()
	n := newUnstarted(t, ethtest.Jovian, ethtest.Jovian.Genesis())
	cfg := testConfig()
	cfg.Interval = 3 * time.Second
	_, err := Register(n.Stack, n.Eth, cfg)
	require.NoError(t, err)
}
