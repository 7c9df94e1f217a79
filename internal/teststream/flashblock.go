// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package teststream

import (
	"encoding/binary"

	"github.com/holiman/uint256"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// Flashblock is an empty flashblock of the trimmed dialect. Every block has one payload id.
func Flashblock(block, index uint64) *flashblocks.Flashblock {
	fb := &flashblocks.Flashblock{PayloadID: PayloadID(block), Index: index}
	fb.Metadata.BlockNumber = block
	fb.Metadata.Dialect = flashblocks.DialectTrimmed
	fb.Diff.GasUsed = 21000 * index
	if index == 0 {
		fb.Base = Base(block)
	}
	return fb
}

// Base is the base of a block, upon the block before.
func Base(block uint64) *flashblocks.Base {
	return &flashblocks.Base{
		ParentHash: Hash(block - 1), BlockNumber: block, GasLimit: 30e6, Timestamp: 2 * block,
		BaseFeePerGas: uint256.NewInt(7),
	}
}

// PayloadID is the payload id of a block.
func PayloadID(block uint64) (id engine.PayloadID) {
	id[0] = 3
	binary.BigEndian.PutUint32(id[4:], uint32(block))
	return id
}

// Hash is the hash of a block.
func Hash(block uint64) (h common.Hash) {
	binary.BigEndian.PutUint64(h[24:], block)
	return h
}
