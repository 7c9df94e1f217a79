// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package eltest

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

// Time and number of the block that every test asks for.
const (
	BlockTime   = 1_700_000_000
	BlockNumber = 100
)

// Attributes of the block.
var (
	Parent = common.HexToHash("0x11")
	randao = common.HexToHash("0x22")
	Beacon = common.HexToHash("0x33")
	Fees   = common.HexToAddress("0x4200000000000000000000000000000000000011")
	extra  = common.FromHex("0x01000000fa000000060000000000000005")
	realSR = common.HexToHash("0x44")
)

// The payload ids of the local execution layer's block, of the builder's, and of the local rebuild of the builder's.
var (
	LocalID   = engine.PayloadID{0x03, 1}
	BuilderID = engine.PayloadID{0x04, 2}
	RebuiltID = engine.PayloadID{0x03, 3}
)

// The hashes of the builder's block and of the local one.
var (
	BuilderHash = Sealed(Flashblocks(BuilderID, 3, false)).BlockHash
	LocalHash   = Sealed(Flashblocks(LocalID, 1, false)).BlockHash
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

// Attributes are the parameters of a forkchoice update on head. edit may change the attributes.
func Attributes(head common.Hash, edit func(map[string]any)) []any {
	attrs := map[string]any{
		"timestamp": fmt.Sprintf("0x%x", BlockTime), "prevRandao": randao, "suggestedFeeRecipient": Fees, "withdrawals": []any{},
		"parentBeaconBlockRoot": Beacon, "transactions": []string{fmt.Sprintf("0x%x", transaction(0))}, "gasLimit": "0x1c9c380",
		"eip1559Params": "0x000000fa00000006", "minBaseFee": 5, "someday": map[string]any{"a": "}"},
	}
	if edit != nil {
		edit(attrs)
	}
	return []any{State(head), attrs}
}

// State is a forkchoice state.
func State(head common.Hash) map[string]any {
	return map[string]any{"headBlockHash": head, "safeBlockHash": head, "finalizedBlockHash": common.Hash{}, "future": 1}
}

// Flashblocks are the flashblocks of a block: the deposit, then one transaction each. With roots, the last one is a
// whole block.
func Flashblocks(id engine.PayloadID, count int, roots bool) []*flashblocks.Flashblock {
	var list []*flashblocks.Flashblock
	for k := range count {
		fb := &flashblocks.Flashblock{
			PayloadID: id, Index: uint64(k),
			Diff: flashblocks.Diff{
				GasUsed: 21000 * uint64(k+1), ReceiptsRoot: common.HexToHash("0x55"), BlobGasUsed: new(uint64),
				Transactions: [][]byte{transaction(k)},
			},
			Metadata: flashblocks.Metadata{BlockNumber: BlockNumber, Dialect: flashblocks.DialectFull},
		}
		if k == 0 {
			root := Beacon
			fb.Base = &flashblocks.Base{
				ParentBeaconBlockRoot: &root, ParentHash: Parent, FeeRecipient: Fees, PrevRandao: randao, BlockNumber: BlockNumber,
				GasLimit: 30_000_000, Timestamp: BlockTime, ExtraData: extra, BaseFeePerGas: uint256.NewInt(1_000_000),
			}
		}
		list = append(list, fb)
		if roots {
			Seal(list)
		}
	}
	return list
}

// Seal gives the last flashblock roots and hash of the block that the list makes up.
func Seal(list []*flashblocks.Flashblock) {
	last := &list[len(list)-1].Diff
	last.StateRoot, last.WithdrawalsRoot = realSR, common.HexToHash("0x77")
	last.BlockHash = Sealed(list).BlockHash
}

// Sealed is the block of flashblocks with real roots.
func Sealed(list []*flashblocks.Flashblock) *engine.ExecutableData {
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

// Envelope is a result of engine_getPayload for a block. edit may change the block.
func Envelope(list []*flashblocks.Flashblock, edit func(*engine.ExecutableData)) json.RawMessage {
	data := Sealed(list)
	if edit != nil {
		edit(data)
	}
	root := Beacon
	out, err := json.Marshal(&engine.ExecutionPayloadEnvelope{
		ExecutionPayload: data, BlockValue: new(big.Int), BlobsBundle: new(engine.BlobsBundle), Requests: [][]byte{}, ParentBeaconBlockRoot: &root,
	})
	if err != nil {
		panic(err)
	}
	return out
}

// HashOf is the hash of the block in a result of engine_getPayload.
func HashOf(result json.RawMessage) common.Hash {
	block, err := round.ParsePayload(result)
	if err != nil {
		panic(err)
	}
	return block.BlockHash
}
