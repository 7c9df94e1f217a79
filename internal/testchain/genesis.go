// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package testchain

import (
	"encoding/binary"
	"math/big"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// Contracts of the genesis.
var (
	StorageAddr  = common.HexToAddress("0xc0de000000000000000000000000000000000001") // stores (key, value) of its call data
	LoggerAddr   = common.HexToAddress("0xc0de000000000000000000000000000000000002") // emits a log of 32 bytes
	ReverterAddr = common.HexToAddress("0xc0de000000000000000000000000000000000003") // reverts
	SuicidalAddr = common.HexToAddress("0xc0de000000000000000000000000000000000004") // destroys itself; has storage
	FactoryAddr  = common.HexToAddress("0xc0de000000000000000000000000000000000005") // creates a contract
	HasherAddr   = common.HexToAddress("0xc0de000000000000000000000000000000000006") // logs the BLOCKHASH of the number in its call data
	FeeVault     = common.HexToAddress("0x4200000000000000000000000000000000000011") // fee recipient of the attributes
)

// newGenesis makes the genesis block and the accounts.
func (c *Chain) newGenesis() *core.Genesis {
	cfg := c.Config.Fork.ChainConfig()
	c.Signer = types.LatestSigner(cfg)
	alloc := types.GenesisAlloc{
		StorageAddr:  {Code: common.FromHex("60203560003555" + "00"), Balance: new(big.Int)},
		LoggerAddr:   {Code: common.FromHex("602a600052602a60206000a100"), Balance: new(big.Int)},
		ReverterAddr: {Code: common.FromHex("60006000fd"), Balance: new(big.Int)},
		SuicidalAddr: {Code: common.FromHex("33ff"), Balance: big.NewInt(7), Storage: map[common.Hash]common.Hash{{1}: {2}}},
		FactoryAddr:  {Code: common.FromHex("6133ff6000526002601e6000f000"), Balance: new(big.Int), Nonce: 1},
		HasherAddr:   {Code: common.FromHex("6000354060005260206000a000"), Balance: new(big.Int)},
		types.L1BlockAddr: {Balance: new(big.Int), Nonce: 1, Storage: map[common.Hash]common.Hash{
			types.L1BaseFeeSlot:         common.BigToHash(big.NewInt(1e9)),
			types.OverheadSlot:          common.BigToHash(big.NewInt(188)),
			types.ScalarSlot:            common.BigToHash(big.NewInt(684_000)),
			types.L1BlobBaseFeeSlot:     common.BigToHash(big.NewInt(1e6)),
			types.L1FeeScalarsSlot:      common.HexToHash("0x000000000000000000000000000005f00000000a000000000000000000000000"),
			types.OperatorFeeParamsSlot: common.HexToHash("0x000000000000000000000000000000000000000000000064000000000000000a"),
		}},
		gethparams.OptimismL2ToL1MessagePasser: {Balance: new(big.Int), Nonce: 1, Code: common.FromHex("60203560003555" + "00"), Storage: map[common.Hash]common.Hash{{9}: {9}}},
		gethparams.BeaconRootsAddress:          {Nonce: 1, Code: gethparams.BeaconRootsCode, Balance: new(big.Int)},
		gethparams.HistoryStorageAddress:       {Nonce: 1, Code: gethparams.HistoryStorageCode, Balance: new(big.Int)},
	}
	for i := range c.Config.Accounts {
		var seed [32]byte
		binary.BigEndian.PutUint64(seed[24:], uint64(i+1))
		key, err := crypto.ToECDSA(seed[:])
		require.NoError(c.t, err)
		c.Keys = append(c.Keys, key)
		c.Addrs = append(c.Addrs, crypto.PubkeyToAddress(key.PublicKey))
		alloc[c.Addrs[i]] = types.Account{Balance: new(big.Int).Mul(big.NewInt(1e6), big.NewInt(gethparams.Ether))}
	}
	genesis := &core.Genesis{
		Config:     cfg,
		Alloc:      alloc,
		GasLimit:   c.Config.GasLimit,
		BaseFee:    big.NewInt(gethparams.InitialBaseFee),
		Difficulty: new(big.Int),
		Timestamp:  genesisTime,
	}
	if c.Config.Fork >= Holocene {
		genesis.ExtraData = eip1559.EncodeOptimismExtraData(cfg, genesis.Timestamp, 250, 6, new(uint64))
	}
	return genesis
}

// genesisTime is any moment after the forks of the test configuration and not in the future.
const genesisTime = 1_750_000_000
