// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package round

import (
	"fmt"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/flashblocks/stream"
)

// piece is one flashblock, cut into the wire's own text where an engine answer repeats it, and checked:
// every value that goes into an answer is of the right form.
type piece struct {
	header flashblocks.Header
	json   []byte
	base   *flashblocks.Base // only at index 0
	diff   diff
}

// diff holds hex strings with their quotes, except for the quantities.
type diff struct {
	stateRoot, receiptsRoot, logsBloom, blockHash, withdrawalsRoot []byte

	gasUsed, blobGasUsed uint64
	transactions         [][]byte
	withdrawals          []byte // canonical elements, with commas between
	withdrawalCount      int
	postExecTx           []byte // nil if absent
}

// zeroHash stands for a withdrawals root that a message leaves out.
var zeroHash = appendHex(nil, common.Hash{}.Bytes())

// cut reads a delivered flashblock.
func cut(d stream.Delivery) (*piece, error) {
	p := &piece{header: d.Header, json: d.JSON}
	read := false
	_, err := members(d.JSON, skipSpace(d.JSON, 0), func(key []byte, i int) (end int, err error) {
		switch string(key) {
		case "base":
			end, err = skipValue(d.JSON, i)
			if err == nil && d.HasBase {
				p.base = new(flashblocks.Base)
				err = cutBase(p.base, d.JSON[i:end])
			}
		case "diff":
			read = true
			end, err = p.diff.cut(d.JSON, i)
		default:
			return skipValue(d.JSON, i)
		}
		if err != nil {
			return 0, inField(key, err)
		}
		if read && (p.base != nil || !d.HasBase) {
			return 0, errComplete // metadata is the longer half of a message
		}
		return end, nil
	})
	switch {
	case err == nil:
		return nil, fmt.Errorf("%w: diff or base is missing", ErrMalformed)
	case err == errComplete: //nolint:errorlint // never wrapped
		return p, nil
	default:
		return nil, err
	}
}

// cutBase reads a base.
func cutBase(b *flashblocks.Base, value []byte) error {
	var met keys
	err := eachMember(value, func(key, value []byte) (err error) {
		bit := 0
		switch string(key) {
		case "parent_hash":
			err = fixed(b.ParentHash[:], value)
		case "fee_recipient":
			bit, err = 1, fixed(b.FeeRecipient[:], value)
		case "prev_randao":
			bit, err = 2, fixed(b.PrevRandao[:], value)
		case "block_number":
			bit = 3
			b.BlockNumber, err = quantity(value)
		case "gas_limit":
			bit = 4
			b.GasLimit, err = quantity(value)
		case "timestamp":
			bit = 5
			b.Timestamp, err = quantity(value)
		case "extra_data":
			bit = 6
			b.ExtraData, err = data(value)
		case "base_fee_per_gas":
			bit = 7
			b.BaseFeePerGas, err = quantity256(value)
		case "parent_beacon_block_root":
			bit = 8
			b.ParentBeaconBlockRoot, err = fixedHash(value)
		default:
			return nil
		}
		if err != nil {
			return inField(key, err)
		}
		return met.mark(bit, key)
	})
	if err != nil {
		return err
	}
	return met.require("parent_hash", "fee_recipient", "prev_randao", "block_number", "gas_limit",
		"timestamp", "extra_data", "base_fee_per_gas")
}

// cut reads the diff that begins at i, and returns the position behind.
func (d *diff) cut(data []byte, i int) (int, error) {
	d.withdrawalsRoot = zeroHash
	var met keys
	end, err := members(data, i, func(key []byte, i int) (end int, err error) {
		bit := 5
		if string(key) == "transactions" {
			d.transactions, end, err = hexListAt(data, i)
		} else if end, err = skipValue(data, i); err == nil {
			bit, err = d.field(key, data[i:end:end])
		}
		if err != nil {
			return 0, inField(key, err)
		}
		if bit >= 0 {
			err = met.mark(bit, key)
		}
		return end, err
	})
	if err != nil {
		return 0, err
	}
	return end, met.require("state_root", "receipts_root", "logs_bloom", "gas_used", "block_hash", "transactions")
}

// field reads one member; the bit is negative for an unknown key and for null where that means absent.
func (d *diff) field(key, value []byte) (bit int, err error) {
	switch string(key) {
	case "state_root":
		d.stateRoot, err = hexData(value, common.HashLength)
		return 0, err
	case "receipts_root":
		d.receiptsRoot, err = hexData(value, common.HashLength)
		return 1, err
	case "logs_bloom":
		d.logsBloom, err = hexData(value, types.BloomByteLength)
		return 2, err
	case "gas_used":
		d.gasUsed, err = quantity(value)
		return 3, err
	case "block_hash":
		d.blockHash, err = hexData(value, common.HashLength)
		return 4, err
	}
	if isNull(value) {
		return -1, nil
	}
	switch string(key) {
	case "withdrawals":
		return 6, d.cutWithdrawals(value)
	case "withdrawals_root":
		d.withdrawalsRoot, err = hexData(value, common.HashLength)
		return 7, err
	case "blob_gas_used":
		d.blobGasUsed, err = quantity(value)
		return 8, err
	case "post_exec_tx":
		d.postExecTx, err = hexData(value, -1)
		return 9, err
	}
	return -1, nil
}

// cutWithdrawals writes withdrawals in the Engine API's form. There are none on the OP Stack.
func (d *diff) cutWithdrawals(value []byte) error {
	return eachItem(value, func(item []byte) error {
		if d.withdrawalCount == maxWithdrawals {
			return fmt.Errorf("%w: more than %d", ErrMalformed, maxWithdrawals)
		}
		var index, validator, amount uint64
		var address common.Address
		err := eachMember(item, func(key, value []byte) (err error) {
			switch string(key) {
			case "index":
				index, err = quantity(value)
			case "validatorIndex":
				validator, err = quantity(value)
			case "address":
				err = fixed(address[:], value)
			case "amount":
				amount, err = quantity(value)
			}
			return err
		})
		if err != nil {
			return err
		}
		if d.withdrawalCount > 0 {
			d.withdrawals = append(d.withdrawals, ',')
		}
		d.withdrawalCount++
		buf := append(d.withdrawals, `{"index":`...)
		buf = append(appendQuantity(buf, index), `,"validatorIndex":`...)
		buf = append(appendQuantity(buf, validator), `,"address":`...)
		buf = append(appendHex(buf, address[:]), `,"amount":`...)
		d.withdrawals = append(appendQuantity(buf, amount), '}')
		return nil
	})
}

// size is roughly what a piece holds in memory, in bytes.
func (p *piece) size() int { return len(p.json) + 48*len(p.diff.transactions) + 512 }

// same reports whether another message at the same place says the same of the block. Metadata is left
// out, because relays may trim or extend it.
func (p *piece) same(other []byte) bool {
	if string(p.json) == string(other) {
		return true
	}
	a, _, err := flashblocks.Decode(p.json, flashblocks.Limits{})
	if err != nil {
		return false
	}
	b, _, err := flashblocks.Decode(other, flashblocks.Limits{})
	return err == nil && flashblocks.SameContent(a, b)
}

// message is the publication of a piece. base is the one of its block.
func (p *piece) message(base *flashblocks.Base, id engine.PayloadID) stream.Message {
	return stream.Message{
		PayloadID:   id,
		BlockNumber: base.BlockNumber,
		Index:       p.header.Index,
		V1:          p.json,
		V0: func() []byte {
			fb, _, err := flashblocks.Decode(p.json, flashblocks.Limits{})
			if err != nil {
				return nil // left out of v0: its metadata is not known there
			}
			return flashblocks.NewNotification(fb, base).AppendJSON(nil)
		},
	}
}
