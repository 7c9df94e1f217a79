// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/ethereum-optimism/optimism/op-core/predeploys"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/triedb"
)

// A moment for genesis blocks whose hashes the tests know.
const testTime = 1_700_000_000

// Hashes of the genesis blocks at testTime.
const (
	goldenL1Genesis = "0x2785afa62895eaa922b9ea97129e711c22a3f29e1a6a4d33b16d94fae4727e69"
	goldenL2Genesis = "0x26034e4396adeaaa34a9ae1f46e8dd7c59411fdae9f4e13276de5172343ea0da"
)

func newTestSpec(t *testing.T) *chainSpec {
	t.Helper()
	spec, err := newChainSpec(deriveAccounts(), testTime, testTime+8, 2, DefaultConfig.GasLimit)
	require.NoError(t, err)
	return spec
}

// The hashes are those of the first devnets that a real op-node drove. A change of them is a change
// of the chain: intended, or a mistake.
func TestGenesisHashesAreStable(t *testing.T) {
	t.Parallel()
	spec := newTestSpec(t)
	require.Equal(t, goldenL1Genesis, spec.l1.ToBlock().Hash().Hex())
	require.Equal(t, goldenL2Genesis, spec.l2.ToBlock().Hash().Hex())
}

// What op-node expects must be what the execution layer makes of the file it is given.
func TestGenesisFileHasTheHashOpNodeExpects(t *testing.T) {
	t.Parallel()
	spec := newTestSpec(t)
	for name, test := range map[string]struct {
		genesis *core.Genesis
		want    common.Hash
	}{
		"l1": {spec.l1, spec.rollup.Genesis.L1.Hash},
		"l2": {spec.l2, spec.rollup.Genesis.L2.Hash},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := json.Marshal(test.genesis)
			require.NoError(t, err)
			read := new(core.Genesis)
			require.NoError(t, json.Unmarshal(file, read))

			db := rawdb.NewMemoryDatabase()
			trie := triedb.NewDatabase(db, triedb.HashDefaults)
			t.Cleanup(func() { require.NoError(t, trie.Close()) })
			_, hash, compat, err := core.SetupGenesisBlock(db, trie, read)
			require.NoError(t, err)
			require.Nil(t, compat)
			require.Equal(t, test.want, hash)
		})
	}
}

func TestRollupFileRoundTrip(t *testing.T) {
	t.Parallel()
	spec := newTestSpec(t)
	file, err := json.Marshal(spec.rollup)
	require.NoError(t, err)
	read := new(rollup.Config)
	require.NoError(t, json.Unmarshal(file, read))
	require.NoError(t, read.Check())
	require.Equal(t, spec.rollup, read)
	require.True(t, read.IsJovian(testTime+8))
	require.False(t, read.IsKarst(1<<40))
}

func TestL2GenesisIsJovian(t *testing.T) {
	t.Parallel()
	genesis := newTestSpec(t).l2
	require.NoError(t, genesis.Config.CheckConfigForkOrder())
	require.True(t, genesis.Config.IsJovian(genesis.Timestamp))
	require.Nil(t, genesis.Config.KarstTime)
	require.NoError(t, eip1559.ValidateOptimismExtraData(genesis.Config, genesis.Timestamp, genesis.ExtraData))
}

// Fork upgrades succeed without effect where a predeploy address holds no code.
func TestEveryPredeployAddressHasCode(t *testing.T) {
	t.Parallel()
	alloc := newTestSpec(t).l2.Alloc
	proxy := alloc[predeploys.L2CrossDomainMessengerAddr].Code
	admin := common.BytesToHash(predeploys.ProxyAdminAddr.Bytes())
	proxies := 0
	for i := range int64(predeployCount) {
		addr := common.BigToAddress(new(big.Int).Add(predeploys.LegacyMessagePasserAddr.Big(), big.NewInt(i)))
		entry := alloc[addr]
		if addr == predeploys.GovernanceTokenAddr {
			require.Empty(t, entry.Code)
			continue
		}
		require.NotEmpty(t, entry.Code, addr)
		if addr != predeploys.WETHAddr {
			require.Equal(t, proxy, entry.Code, addr)
			require.Equal(t, admin, entry.Storage[proxyAdminSlot], addr)
			proxies++
		}
	}
	require.Equal(t, predeployCount-2, proxies)
}

// Permit2 compares the chain id with the one in its code before it trusts its domain separator.
func TestPermit2IsMadeForTheChain(t *testing.T) {
	t.Parallel()
	const chainIDOffset = 6945 // of the immutable in Permit2's code, see op-chain-ops/genesis
	code := newTestSpec(t).l2.Alloc[predeploys.Permit2Addr].Code
	require.Equal(t, big.NewInt(L2ChainID), new(big.Int).SetBytes(code[chainIDOffset:chainIDOffset+32]))
}

func TestAccountsAreDistinct(t *testing.T) {
	t.Parallel()
	keys := deriveAccounts()
	seen := make(map[common.Address]bool)
	for _, acc := range append(append([]account{keys.batcher, keys.sequencer}, keys.users...), keys.load...) {
		require.False(t, seen[acc.addr])
		seen[acc.addr] = true
	}
	require.Len(t, seen, 2+userAccounts+loadAccounts)
}
