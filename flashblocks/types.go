// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

// Package flashblocks holds the wire types and codec of Flashblocks, the rules a sequence obeys,
// and the assembly of a sequence into an execution payload. It knows nothing about a node.
package flashblocks

import (
	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Flashblock is one message of the v1 stream (FlashblocksPayloadV1 in the flashblocks specification):
// the part of a block that was added since the previous index.
type Flashblock struct {
	PayloadID engine.PayloadID
	Index     uint64
	Base      *Base // only at index 0
	Diff      Diff
	Metadata  Metadata
}

// Base carries the header fields that are fixed before the first transaction executes.
type Base struct {
	ParentBeaconBlockRoot *common.Hash // nil before Ecotone
	ParentHash            common.Hash
	FeeRecipient          common.Address
	PrevRandao            common.Hash
	BlockNumber           uint64
	GasLimit              uint64
	Timestamp             uint64 // seconds
	ExtraData             []byte
	BaseFeePerGas         *uint256.Int // wei
}

// Diff carries the transactions added at this index, and the header fields as they stand after them.
type Diff struct {
	StateRoot       common.Hash // zero when the builder defers the state root
	ReceiptsRoot    common.Hash // cumulative
	LogsBloom       types.Bloom // cumulative
	GasUsed         uint64      // cumulative
	BlockHash       common.Hash // zero when the state root is zero
	Transactions    [][]byte    // EIP-2718 encodings, new at this index
	Withdrawals     []*types.Withdrawal
	WithdrawalsRoot common.Hash
	BlobGasUsed     *uint64 // cumulative DA footprint, present from Jovian on
	PostExecTx      []byte  // replaces the previous value; appended after all transactions
}

// Metadata is what a consumer would otherwise have to execute for. Which fields are set depends on
// the dialect of the builder, see Dialect.
type Metadata struct {
	BlockNumber uint64 // zero when free-form metadata of an index >= 1 does not tell it

	// Full form: accounts touched and receipts made at this index, in order.
	NewAccountBalances []AccountBalance
	Receipts           []Receipt

	// Trimmed form: the flashblock before this one, nil at the start of a stream.
	PrevFlashblockID *FlashblockID

	// UnknownReceipts counts the receipts that were left out of Receipts while decoding because their
	// type or form is not known here. The transactions of the message are complete all the same.
	UnknownReceipts int

	// Raw is the JSON of metadata that is not interpreted here (DialectAccessList and DialectOpaque),
	// encoded again as it is. It may share memory with the message it was decoded from.
	Raw []byte

	// Dialect tells which of the forms above the message has, or shall have when encoded.
	Dialect Dialect
}

// AccountBalance is the balance in wei of one account after a flashblock.
type AccountBalance struct {
	Address common.Address
	Balance *uint256.Int
}

// Receipt is the receipt of one transaction of a flashblock. A decoded one has only what is on the
// wire: type, status, cumulative gas, logs (address, topics, data), deposit fields, and TxHash. Its bloom,
// gas used and the positions of its logs are not filled in.
type Receipt struct {
	TxHash  common.Hash
	Receipt *types.Receipt
}

// FlashblockID names a flashblock by its position.
type FlashblockID struct {
	BlockNumber uint64 `json:"block_number"`
	Index       uint64 `json:"index"`
}

// Dialect is one of the known forms of a flashblock's metadata.
type Dialect uint8

const (
	// DialectFull is op-rbuilder's form: block_number, new_account_balances and receipts.
	DialectFull Dialect = iota
	// DialectTrimmed is Base's form since Azul: block_number and prev_flashblock_id.
	DialectTrimmed
	// DialectAccessList is Base's form of early 2026: block_number and access_list, which is not
	// interpreted here.
	DialectAccessList
	// DialectOpaque is free-form metadata of old rollup-boost versions, which is not interpreted here.
	DialectOpaque
)

// Position is where the flashblock stands in the stream.
func (fb *Flashblock) Position() FlashblockID {
	return FlashblockID{BlockNumber: fb.Metadata.BlockNumber, Index: fb.Index}
}

// After reports whether id stands behind other in the stream.
func (id FlashblockID) After(other FlashblockID) bool {
	if id.BlockNumber != other.BlockNumber {
		return id.BlockNumber > other.BlockNumber
	}
	return id.Index > other.Index
}
