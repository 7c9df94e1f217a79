// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package boost

import (
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/boost/round"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// The block that every test asks for.
const (
	blockTime   = 1_700_000_000
	blockNumber = 100
)

var (
	parent = common.HexToHash("0x11")
	randao = common.HexToHash("0x22")
	beacon = common.HexToHash("0x33")
	fees   = common.HexToAddress("0x4200000000000000000000000000000000000011")
	extra  = common.FromHex("0x01000000fa000000060000000000000005")
	realSR = common.HexToHash("0x44")
)

// transaction n of the tests; 0 is the deposit.
func transaction(n int) []byte {
	var tx *types.Transaction
	if n == 0 {
		tx = types.NewTx(&types.DepositTx{Gas: 1_000_000, Value: new(big.Int), Mint: new(big.Int)})
	} else {
		tx = types.NewTx(&types.DynamicFeeTx{ChainID: big.NewInt(901), Nonce: uint64(n), Gas: 21000, GasFeeCap: big.NewInt(5), GasTipCap: big.NewInt(1), Value: new(big.Int)})
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return raw
}

// attributes are the parameters of a forkchoice update on head. edit may change the attributes.
func attributes(head common.Hash, edit func(map[string]any)) []any {
	attrs := map[string]any{
		"timestamp": fmt.Sprintf("0x%x", blockTime), "prevRandao": randao, "suggestedFeeRecipient": fees, "withdrawals": []any{},
		"parentBeaconBlockRoot": beacon, "transactions": []string{fmt.Sprintf("0x%x", transaction(0))}, "gasLimit": "0x1c9c380",
		"eip1559Params": "0x000000fa00000006", "minBaseFee": 5, "someday": map[string]any{"a": "}"},
	}
	if edit != nil {
		edit(attrs)
	}
	return []any{state(head), attrs}
}

func state(head common.Hash) map[string]any {
	return map[string]any{"headBlockHash": head, "safeBlockHash": head, "finalizedBlockHash": common.Hash{}, "future": 1}
}

// fbs are the flashblocks of a block: the deposit, then one transaction each. With roots, the last one is a
// whole block.
func fbs(id engine.PayloadID, count int, roots bool) []*flashblocks.Flashblock {
	var list []*flashblocks.Flashblock
	for k := range count {
		fb := &flashblocks.Flashblock{
			PayloadID: id, Index: uint64(k),
			Diff: flashblocks.Diff{
				GasUsed: 21000 * uint64(k+1), ReceiptsRoot: common.HexToHash("0x55"), BlobGasUsed: new(uint64),
				Transactions: [][]byte{transaction(k)},
			},
			Metadata: flashblocks.Metadata{BlockNumber: blockNumber, Dialect: flashblocks.DialectFull},
		}
		if k == 0 {
			root := beacon
			fb.Base = &flashblocks.Base{
				ParentBeaconBlockRoot: &root, ParentHash: parent, FeeRecipient: fees, PrevRandao: randao, BlockNumber: blockNumber,
				GasLimit: 30_000_000, Timestamp: blockTime, ExtraData: extra, BaseFeePerGas: uint256.NewInt(1_000_000),
			}
		}
		list = append(list, fb)
		if roots {
			fb.Diff.StateRoot, fb.Diff.WithdrawalsRoot = realSR, common.HexToHash("0x77")
			fb.Diff.BlockHash = sealed(list).BlockHash
		}
	}
	return list
}

// sealed is the block of flashblocks with real roots.
func sealed(list []*flashblocks.Flashblock) *engine.ExecutableData {
	p, err := flashblocks.Assemble(list, flashblocks.Forks{Canyon: true, Ecotone: true, Isthmus: true})
	if err != nil {
		panic(err)
	}
	root := common.HexToHash("0x77")
	p.Data.WithdrawalsRoot = &root
	if _, err := p.Seal(realSR); err != nil {
		panic(err)
	}
	return p.Data
}

// envelope is a result of engine_getPayload for a block. edit may change the block.
func envelope(list []*flashblocks.Flashblock, edit func(*engine.ExecutableData)) json.RawMessage {
	data := sealed(list)
	if edit != nil {
		edit(data)
	}
	root := beacon
	out, err := json.Marshal(&engine.ExecutionPayloadEnvelope{
		ExecutionPayload: data, BlockValue: new(big.Int), BlobsBundle: new(engine.BlobsBundle), Requests: [][]byte{}, ParentBeaconBlockRoot: &root,
	})
	if err != nil {
		panic(err)
	}
	return out
}

func hashOf(result json.RawMessage) common.Hash {
	block, err := round.ParsePayload(result)
	if err != nil {
		panic(err)
	}
	return block.BlockHash
}
