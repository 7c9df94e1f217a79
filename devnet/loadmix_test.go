// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"math/big"
	"testing"

	"github.com/ethereum-optimism/optimism/op-core/predeploys"
	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/beacon"
	"github.com/ethereum/go-ethereum/consensus/ethash"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
)

// kindOf recognises a transaction of the mix.
func kindOf(tx *types.Transaction) txKind {
	switch *tx.To() {
	case tokenAddr:
		return kindToken
	case predeploys.WETHAddr:
		return kindWrap
	case predeploys.MultiCall3Addr:
		return kindMulticall
	default:
		return kindTransfer
	}
}

func TestMixHasItsShares(t *testing.T) {
	t.Parallel()
	const total = 4000
	var (
		keys   = deriveAccounts()
		mix    = newTxMix(1, []common.Address{keys.load[0].addr, keys.load[1].addr})
		counts [kindCount]int
		tips   = make(map[string]bool)
	)
	for nonce := range uint64(total) {
		tx, err := mix.make(keys.load[0], nonce)
		require.NoError(t, err)
		require.Equal(t, nonce, tx.Nonce())
		counts[kindOf(tx)]++
		tips[tx.GasTipCap().String()] = true
	}
	sum := 0
	for kind, weight := range kindWeights {
		sum += weight
		require.InDelta(t, weight, float64(counts[kind])*100/total, 3, "kind %d", kind)
	}
	require.Equal(t, 100, sum)
	require.Greater(t, len(tips), total/2, "tips must differ for an order by fee to show")
}

func TestMixIsReproducible(t *testing.T) {
	t.Parallel()
	keys := deriveAccounts()
	first, second := newTxMix(7, []common.Address{{1}}), newTxMix(7, []common.Address{{1}})
	for nonce := range uint64(50) {
		a, err := first.make(keys.load[0], nonce)
		require.NoError(t, err)
		b, err := second.make(keys.load[0], nonce)
		require.NoError(t, err)
		require.Equal(t, a.Hash(), b.Hash())
	}
}

// Every kind must execute successfully on the devnet's genesis, within its gas limit.
func TestMixExecutes(t *testing.T) {
	t.Parallel()
	var (
		keys  = deriveAccounts()
		mix   = newTxMix(3, []common.Address{keys.load[1].addr})
		spec  = newTestSpec(t)
		kinds [kindCount]int
	)
	// The transactions run on an L1 with the L2's state: an L2 block would need an L1 attributes deposit.
	genesis := *spec.l2
	genesis.Config, genesis.ExtraData = l1ChainConfig(), nil
	genesis.Config.ChainID = big.NewInt(L2ChainID)
	engine := beacon.New(ethash.NewFaker())
	_, _, receipts := core.GenerateChainWithGenesis(&genesis, engine, 1, func(_ int, block *core.BlockGen) {
		for nonce := range uint64(100) {
			tx, err := mix.make(keys.load[0], nonce)
			require.NoError(t, err)
			kinds[kindOf(tx)]++
			block.AddTx(tx)
		}
	})
	require.Len(t, receipts[0], 100)
	for i, receipt := range receipts[0] {
		require.Equal(t, types.ReceiptStatusSuccessful, receipt.Status, "transaction %d", i)
	}
	for kind, count := range kinds {
		require.Positive(t, count, "kind %d", kind)
	}
}

func TestLoadRate(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{-1, maxLoad + 1} {
		_, err := NewLoad(LoadConfig{Rate: rate})
		require.ErrorContains(t, err, "out of range")
	}
	load, err := NewLoad(LoadConfig{Rate: maxLoad})
	require.NoError(t, err)
	require.Len(t, load.senders, loadAccounts)
}
