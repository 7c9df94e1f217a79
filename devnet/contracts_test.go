// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package devnet

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/triedb"
)

var (
	testCaller   = common.HexToAddress("0xca11e4")
	testContract = common.HexToAddress("0xc0de")
	testReceiver = common.HexToAddress("0x4ece17e4")
)

// newTestContract returns a configuration that calls code at testContract as testCaller.
func newTestContract(t *testing.T, code []byte) *runtime.Config {
	t.Helper()
	db := state.NewDatabase(triedb.NewDatabase(rawdb.NewMemoryDatabase(), nil), nil)
	statedb, err := state.New(types.EmptyRootHash, db)
	require.NoError(t, err)
	statedb.SetCode(testContract, code, tracing.CodeChangeUnspecified)
	return &runtime.Config{State: statedb, Origin: testCaller, ChainConfig: l1ChainConfig(), GasLimit: 1_000_000}
}

func TestToken(t *testing.T) {
	t.Parallel()
	slot := func(a common.Address) common.Hash { return common.BytesToHash(a.Bytes()) }

	t.Run("transfer moves the amount and emits", func(t *testing.T) {
		t.Parallel()
		cfg := newTestContract(t, tokenCode())
		cfg.State.SetState(testContract, slot(testCaller), common.BigToHash(big.NewInt(100)))
		out, _, err := runtime.Call(testContract, tokenTransfer(testReceiver, big.NewInt(30)), cfg)
		require.NoError(t, err)
		require.Equal(t, common.BigToHash(big.NewInt(1)).Bytes(), out)
		require.Equal(t, common.BigToHash(big.NewInt(70)), cfg.State.GetState(testContract, slot(testCaller)))
		require.Equal(t, common.BigToHash(big.NewInt(30)), cfg.State.GetState(testContract, slot(testReceiver)))

		logs := cfg.State.Logs()
		require.Len(t, logs, 1)
		require.Equal(t, []common.Hash{transferTopic, slot(testCaller), slot(testReceiver)}, logs[0].Topics)
		require.Equal(t, common.BigToHash(big.NewInt(30)).Bytes(), logs[0].Data)
	})
	t.Run("a transfer to oneself keeps the balance", func(t *testing.T) {
		t.Parallel()
		cfg := newTestContract(t, tokenCode())
		cfg.State.SetState(testContract, slot(testCaller), common.BigToHash(big.NewInt(100)))
		_, _, err := runtime.Call(testContract, tokenTransfer(testCaller, big.NewInt(30)), cfg)
		require.NoError(t, err)
		require.Equal(t, common.BigToHash(big.NewInt(100)), cfg.State.GetState(testContract, slot(testCaller)))
	})
	t.Run("a transfer of more than the balance reverts", func(t *testing.T) {
		t.Parallel()
		cfg := newTestContract(t, tokenCode())
		_, _, err := runtime.Call(testContract, tokenTransfer(testReceiver, big.NewInt(1)), cfg)
		require.ErrorIs(t, err, vm.ErrExecutionReverted)
	})
	t.Run("balanceOf", func(t *testing.T) {
		t.Parallel()
		cfg := newTestContract(t, tokenCode())
		cfg.State.SetState(testContract, slot(testReceiver), common.BigToHash(big.NewInt(7)))
		out, _, err := runtime.Call(testContract, balanceOf(testReceiver), cfg)
		require.NoError(t, err)
		require.Equal(t, common.BigToHash(big.NewInt(7)).Bytes(), out)
	})
	t.Run("an unknown function reverts", func(t *testing.T) {
		t.Parallel()
		cfg := newTestContract(t, tokenCode())
		_, _, err := runtime.Call(testContract, []byte{1, 2, 3, 4}, cfg)
		require.ErrorIs(t, err, vm.ErrExecutionReverted)
	})
}

func TestEmitters(t *testing.T) {
	t.Parallel()
	var (
		first  = common.BytesToHash(testReceiver.Bytes())
		second = common.BigToHash(big.NewInt(3))
		data   = []byte("what follows the topics")
		input  = append(append(first.Bytes(), second.Bytes()...), data...)
	)
	for name, test := range map[string]struct {
		code []byte
		want []common.Hash
	}{
		"portal":        {portalCode(), []common.Hash{depositTopic, common.BytesToHash(testCaller.Bytes()), first, second}},
		"system config": {systemConfigCode(), []common.Hash{configUpdateTopic, first, second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := newTestContract(t, test.code)
			_, _, err := runtime.Call(testContract, input, cfg)
			require.NoError(t, err)
			logs := cfg.State.Logs()
			require.Len(t, logs, 1)
			require.Equal(t, test.want, logs[0].Topics)
			require.Equal(t, data, logs[0].Data)
		})
	}
}
