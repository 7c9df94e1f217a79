// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package ethtest

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// GenesisTime is long past, so that no slot of a test is in progress and every deadline is overdue.
const GenesisTime = 1_700_000_000

// BlockTime is the length of a slot in seconds.
const BlockTime = 2

// Fork is one of the chain configurations a test runs on, all active at genesis.
type Fork struct{ testchain.Fork }

// The forks after which the Engine API, or what the attributes hold, is another.
var (
	Regolith = Fork{testchain.Regolith}
	Canyon   = Fork{testchain.Canyon}
	Ecotone  = Fork{testchain.Ecotone}
	Holocene = Fork{testchain.Holocene}
	Isthmus  = Fork{testchain.Isthmus}
	Jovian   = Fork{testchain.Jovian}
)

// Forks are all of them, the oldest first.
var Forks = []Fork{Regolith, Canyon, Ecotone, Holocene, Isthmus, Jovian}

// Update is the version of the forkchoice update that op-node uses for the fork.
func (f Fork) Update() int {
	if f.Fork < testchain.Ecotone {
		return 2
	}
	return 3
}

// GetPayload is the method that op-node fetches a payload of the fork with.
func (f Fork) GetPayload() string {
	switch {
	case f.Fork < testchain.Ecotone:
		return "engine_getPayloadV2"
	case f.Fork < testchain.Isthmus:
		return "engine_getPayloadV3"
	default:
		return "engine_getPayloadV4"
	}
}

// Genesis is the genesis block of the fork. User has funds in it.
func (f Fork) Genesis() *core.Genesis {
	config := f.ChainConfig()
	genesis := &core.Genesis{
		Config:     config,
		Timestamp:  GenesisTime,
		GasLimit:   30_000_000,
		BaseFee:    big.NewInt(gethparams.InitialBaseFee),
		Difficulty: new(big.Int),
		Alloc: types.GenesisAlloc{
			User: {Balance: new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(gethparams.Ether))},
			// Storage of its own gives the message passer a root that is not the empty one.
			gethparams.OptimismL2ToL1MessagePasser: {
				Balance: new(big.Int), Code: []byte{0}, Nonce: 1,
				Storage: map[common.Hash]common.Hash{{1}: {1}},
			},
		},
	}
	if config.IsHolocene(GenesisTime) {
		genesis.ExtraData = eip1559.EncodeOptimismExtraData(config, GenesisTime, 250, 6, new(uint64))
	}
	return genesis
}

// Attributes are good attributes of the fork for the slot after a parent at the given time. seq makes the block
// unique.
func (f Fork) Attributes(parentTime, seq uint64) Object {
	c := f.ChainConfig()
	at := parentTime + BlockTime
	out := Object{
		"timestamp":             HexUint(at),
		"prevRandao":            common.Hash{7},
		"suggestedFeeRecipient": testchain.FeeVault,
		"gasLimit":              HexUint(30_000_000),
		"transactions":          []string{HexBytes(f.L1Info(seq))},
	}
	if c.IsCanyon(at) {
		out["withdrawals"] = []any{}
	}
	if c.IsEcotone(at) {
		out["parentBeaconBlockRoot"] = common.Hash{9}
	}
	if c.IsHolocene(at) {
		out["eip1559Params"] = "0x000000fa00000006"
	}
	if c.IsJovian(at) {
		out["minBaseFee"] = 0
	}
	return out
}

// L1Info returns an encoded L1 attributes deposit; seq makes it unique.
func (f Fork) L1Info(seq uint64) []byte {
	data := make([]byte, 4)
	if f == Jovian {
		data = make([]byte, types.JovianL1AttributesLen)
		copy(data, types.JovianL1AttributesSelector)
		binary.BigEndian.PutUint16(data[types.JovianL1AttributesLen-2:], 400)
	}
	return l1Deposit(seq, data)
}

// l1Deposit encodes an L1 attributes deposit with the given data; seq makes it unique.
func l1Deposit(seq uint64, data []byte) []byte {
	enc, err := types.NewTx(&types.DepositTx{
		SourceHash: common.BigToHash(new(big.Int).SetUint64(seq + 1)),
		From:       common.HexToAddress("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001"),
		To:         &types.L1BlockAddr,
		Value:      new(big.Int),
		Gas:        1_000_000,
		Data:       data,
	}).MarshalBinary()
	if err != nil {
		panic(err) // deposits can be encoded
	}
	return enc
}
