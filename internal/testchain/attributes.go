// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package testchain

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethminer "github.com/ethereum/go-ethereum/miner"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// Attributes are what op-node would send for the block after parent, with the L1 attributes deposit of the
// fork first.
func (c *Chain) Attributes(parent *types.Header, deposits ...*types.Transaction) *gethminer.BuildPayloadArgs {
	args := &gethminer.BuildPayloadArgs{
		Parent:       parent.Hash(),
		Timestamp:    parent.Time + c.Config.BlockTime,
		FeeRecipient: FeeVault,
		Random:       common.Hash{0x42},
		Transactions: append([]*types.Transaction{c.L1Info(parent)}, deposits...),
		GasLimit:     &c.Config.GasLimit,
		Version:      engine.PayloadV1,
	}
	if c.Config.Fork >= Canyon {
		args.Withdrawals, args.Version = types.Withdrawals{}, engine.PayloadV2
	}
	if c.Config.Fork >= Ecotone {
		args.BeaconRoot, args.Version = &common.Hash{0x0b}, engine.PayloadV3
	}
	if c.Config.Fork >= Holocene {
		args.EIP1559Params = make([]byte, 8)
	}
	if c.Config.Fork >= Jovian {
		args.MinBaseFee = new(uint64)
	}
	return args
}

// L1Info is the L1 attributes deposit of the block after parent, in the layout of the chain's fork.
func (c *Chain) L1Info(parent *types.Header) *types.Transaction {
	return c.L1InfoOf(c.Config.Fork, parent)
}

// L1InfoOf is L1Info in the layout of another fork: a fork's first block still has that of the one before.
func (c *Chain) L1InfoOf(layout Fork, parent *types.Header) *types.Transaction {
	var source common.Hash
	binary.BigEndian.PutUint64(source[24:], parent.Number.Uint64()+1)
	return types.NewTx(&types.DepositTx{
		SourceHash:          source,
		From:                common.HexToAddress("0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001"),
		To:                  &types.L1BlockAddr,
		Value:               new(big.Int),
		Gas:                 1_000_000,
		IsSystemTransaction: c.Config.Fork < Regolith,
		Data:                c.l1Data(layout, parent),
	})
}

// Mark is a deposit that gives the block it is in a state of its own, one for every salt.
//
// Blocks beside each other need it if either may be built upon. Should they have the same state root and
// the later one come in after a child of the earlier one, op-geth reads accounts of that child as they were
// before it: the path database's lookup lists the root again, above its own descendants (layerTree.add in
// triedb/pathdb of v1.101702.3).
func (c *Chain) Mark(salt uint64) *types.Transaction {
	var source common.Hash
	source[12] = 0xdd // the address's first byte: not a precompile's
	binary.BigEndian.PutUint64(source[24:], salt)
	to := common.BytesToAddress(source[:])
	return types.NewTx(&types.DepositTx{
		SourceHash: source,
		From:       common.HexToAddress("0xdddd"),
		To:         &to,
		Mint:       big.NewInt(1),
		Value:      big.NewInt(1),
		Gas:        21_000,
	})
}

func (c *Chain) l1Data(layout Fork, parent *types.Header) []byte {
	var data []byte
	switch {
	case layout < Ecotone:
		data = make([]byte, 4+32*8)
		copy(data, types.BedrockL1AttributesSelector)
		binary.BigEndian.PutUint64(data[4:], parent.Number.Uint64())
		data[4+32*3-1] = 7      // L1 base fee
		data[4+32*7-1] = 188    // overhead
		data[4+32*8-1-2] = 0x0a // scalar
		return data
	case layout < Isthmus:
		data = make([]byte, 164)
		copy(data, types.EcotoneL1AttributesSelector)
	case layout < Jovian:
		data = make([]byte, types.IsthmusL1AttributesLen)
		copy(data, types.IsthmusL1AttributesSelector)
	default:
		data = make([]byte, types.JovianL1AttributesLen)
		copy(data, types.JovianL1AttributesSelector)
		binary.BigEndian.PutUint16(data[len(data)-2:], c.Config.Scalar)
	}
	binary.BigEndian.PutUint64(data[20:], parent.Number.Uint64())
	data[7], data[11], data[67] = 5, 10, 9 // scalars and L1 base fee
	return data
}

// Tx signs a transaction of an account, without value.
func (c *Chain) Tx(account int, nonce, tip uint64, to *common.Address, gas uint64, data []byte) *types.Transaction {
	c.t.Helper()
	return c.TxWithValue(account, nonce, tip, to, 0, gas, data)
}

// TxWithValue is Tx with a value in wei.
func (c *Chain) TxWithValue(account int, nonce, tip uint64, to *common.Address, value int64, gas uint64, data []byte) *types.Transaction {
	c.t.Helper()
	return types.MustSignNewTx(c.Keys[account], c.Signer, &types.DynamicFeeTx{
		ChainID:   c.chain.Config().ChainID,
		Nonce:     nonce,
		GasTipCap: new(big.Int).SetUint64(tip),
		GasFeeCap: big.NewInt(10 * gethparams.InitialBaseFee),
		Gas:       gas,
		To:        to,
		Value:     big.NewInt(value),
		Data:      data,
	})
}

// Transfer sends one wei to an account that is new.
func (c *Chain) Transfer(account int, nonce, tip uint64) *types.Transaction {
	c.t.Helper()
	to := common.BigToAddress(big.NewInt(int64(account)*1_000_003 + int64(nonce) + 0x10000))
	return c.TxWithValue(account, nonce, tip, &to, 1, 21_000, nil)
}

// Words encodes 32-byte words, the call data of the genesis's contracts.
func Words(words ...uint64) []byte {
	data := make([]byte, 32*len(words))
	for i, w := range words {
		binary.BigEndian.PutUint64(data[32*i+24:], w)
	}
	return data
}
