// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package e2e

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"

	"github.com/ethereum/go-ethereum/flashgeth/devnet"
)

// plainGeth is an unmodified op-geth, without a line of flashgeth in it, fed through its Engine API.
type plainGeth struct {
	ethereum *eth.Ethereum
	api      *catalyst.ConsensusAPI
}

// newPlainGeth starts one on the L2's genesis, in memory.
func newPlainGeth(t *testing.T, genesis *core.Genesis) *plainGeth {
	t.Helper()
	stack, err := node.New(&node.Config{
		Name: "plain-op-geth",
		P2P:  p2p.Config{NoDiscovery: true, NoDial: true},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := stack.Close(); err != nil {
			t.Errorf("close the plain op-geth: %v", err)
		}
	})
	config := ethconfig.Defaults
	config.Genesis = genesis
	config.NetworkId = devnet.L2ChainID
	config.SyncMode = ethconfig.FullSync
	config.NoPruning = true // forks of any depth can be imported
	config.TrieCleanCache, config.TrieDirtyCache, config.SnapshotCache = 16, 16, 0
	ethereum, err := eth.New(stack, &config)
	require.NoError(t, err)
	require.NoError(t, stack.Start())
	return &plainGeth{ethereum: ethereum, api: catalyst.NewConsensusAPI(ethereum)}
}

// requireValid imports a block and makes it the head: op-geth has to execute it to the same header.
func (g *plainGeth) requireValid(t *testing.T, block *types.Block) {
	t.Helper()
	payload := engine.BlockToExecutableData(block, nil, nil, [][]byte{}).ExecutionPayload
	payload.BlockHash = block.Hash()
	status, err := g.api.NewPayloadV4(t.Context(), *payload, []common.Hash{}, block.BeaconRoot(), []hexutil.Bytes{})
	require.NoError(t, err)
	require.Equalf(t, engine.VALID, status.Status, "op-geth's verdict on block %d: %v", block.NumberU64(), status.ValidationError)
	update, err := g.api.ForkchoiceUpdatedV3(t.Context(), engine.ForkchoiceStateV1{HeadBlockHash: block.Hash()}, nil)
	require.NoError(t, err)
	require.Equal(t, engine.VALID, update.PayloadStatus.Status)

	header := g.ethereum.BlockChain().GetHeaderByNumber(block.NumberU64())
	require.Equal(t, block.Hash(), header.Hash(), "op-geth's canonical block %d", block.NumberU64())
	state, err := g.ethereum.BlockChain().StateAt(header.Root)
	require.NoError(t, err, "op-geth has no state with the root of block %d", block.NumberU64())
	require.Equal(t, block.Root(), state.IntermediateRoot(true))
}

// secret decodes a JWT secret file.
func secret(t *testing.T, text string) (key [32]byte) {
	t.Helper()
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), "0x"))
	require.NoError(t, err)
	require.Len(t, raw, len(key))
	copy(key[:], raw)
	return key
}
