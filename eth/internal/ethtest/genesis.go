// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package ethtest

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// Probe is a contract that, given data, stores block number and a count and logs the number; without
// data it returns number, timestamp, base fee, what is stored, and the hashes of the two blocks before. Sender
// calls it.
var (
	Probe     = common.HexToAddress("0xc0de00000000000000000000000000000000000a")
	probeCode = common.FromHex("36" + "603657" + // data: write
		"43600052" + "42602052" + "48604052" +
		"600054606052" + "600154608052" +
		"60014303" + "4060a052" + "60024303" + "4060c052" + "60e06000f3" +
		"fe" + "fe" + "fe" + "5b" +
		"43600055" + "6001546001016001" + "55" + "4360006000a100")
	Sender    = crypto.PubkeyToAddress(SenderKey.PublicKey)
	SenderKey = mustKey("8a1f9a8f95be41cd7ccb6168179afb4504aefe388d1e14474d32c45c72ce7b7a")
)

// networkGenesis is Jovian's genesis with the probe, and with what makes L1 fees and system calls real.
func networkGenesis() *core.Genesis {
	genesis := Jovian.Genesis()
	// The read half is padded so that the jump lands on the destination, whatever its length.
	code := append([]byte{}, probeCode...)
	for i, b := range code {
		if b == 0x5b && i > 3 && code[i-1] == 0xfe {
			code[2] = byte(i)
		}
	}
	genesis.Alloc[Probe] = types.Account{Code: code, Balance: new(big.Int)}
	genesis.Alloc[Sender] = types.Account{Balance: new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(gethparams.Ether))}
	genesis.Alloc[types.L1BlockAddr] = types.Account{Balance: new(big.Int), Nonce: 1, Storage: map[common.Hash]common.Hash{
		types.L1BaseFeeSlot:         common.BigToHash(big.NewInt(1e9)),
		types.L1BlobBaseFeeSlot:     common.BigToHash(big.NewInt(1e6)),
		types.L1FeeScalarsSlot:      common.HexToHash("0x000000000000000000000000000005f00000000a000000000000000000000000"),
		types.OperatorFeeParamsSlot: common.HexToHash("0x000000000000000000000000000000000000000000000064000000000000000a"),
	}}
	genesis.Alloc[gethparams.BeaconRootsAddress] = types.Account{Nonce: 1, Code: gethparams.BeaconRootsCode, Balance: new(big.Int)}
	genesis.Alloc[gethparams.HistoryStorageAddress] = types.Account{Nonce: 1, Code: gethparams.HistoryStorageCode, Balance: new(big.Int)}
	return genesis
}

// feeInfo is an L1 attributes deposit whose fees are not zero.
func feeInfo(number uint64) []byte {
	data := make([]byte, types.JovianL1AttributesLen)
	copy(data, types.JovianL1AttributesSelector)
	binary.BigEndian.PutUint32(data[4:], 10)      // base fee scalar
	binary.BigEndian.PutUint32(data[8:], 0x5f0)   // blob base fee scalar
	binary.BigEndian.PutUint64(data[20:], number) // makes it unique
	binary.BigEndian.PutUint64(data[60:], 1e9)    // base fee
	binary.BigEndian.PutUint64(data[92:], 1e6)    // blob base fee
	binary.BigEndian.PutUint32(data[164:], 10)    // operator fee scalar
	binary.BigEndian.PutUint64(data[168:], 100)   // operator fee constant
	binary.BigEndian.PutUint16(data[types.JovianL1AttributesLen-2:], 400)
	return l1Deposit(number, data)
}
