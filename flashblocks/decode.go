// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

// Decode reads a flashblock of any known dialect from a text or binary frame, plain or brotli, and
// returns with it the JSON it was read from, for republishing untouched. That JSON, and Metadata.Raw,
// share memory with a plain frame, so the caller must not reuse the frame.
//
// Unknown keys are ignored, metadata never makes a message fail unless it is not JSON, and receipts
// of unknown form are left out and counted in Metadata.UnknownReceipts. Errors: ErrTooLarge,
// ErrCompression, ErrMalformed, ErrInvalidField, ErrMissingField, ErrDuplicateField,
// ErrBlockNumberMismatch. Whether a base belongs at the index is for Sequence to judge.
func Decode(frame []byte, lim Limits) (*Flashblock, []byte, error) {
	original, err := Plain(frame, lim)
	if err != nil {
		return nil, nil, err
	}
	s := newScanner(original)
	fb := new(Flashblock)
	if err := s.flashblock(fb); err != nil {
		return nil, nil, err
	}
	if fb.Base != nil {
		if err := fb.Metadata.agree(fb.Base.BlockNumber); err != nil {
			return nil, nil, err
		}
	}
	return fb, original, nil
}

// agree fills in a block number the metadata did not tell from the base, and compares the two
// otherwise. Zero means not told: no flashblock is made of the genesis block.
func (m *Metadata) agree(number uint64) error {
	if m.BlockNumber == 0 {
		m.BlockNumber = number
	}
	if m.BlockNumber != number {
		return fmt.Errorf("%w: base %d, metadata %d", ErrBlockNumberMismatch, number, m.BlockNumber)
	}
	return nil
}

func (s *scanner) flashblock(fb *Flashblock) error {
	var seen jsonwalk.Seen
	fb.Metadata.Dialect = DialectOpaque
	err := s.Object(func(key []byte) (err error) {
		var bit int
		switch string(key) {
		case "payload_id":
			bit, err = 0, s.Fixed(fb.PayloadID[:])
		case "index":
			bit = 1
			fb.Index, err = s.Quantity()
		case "diff":
			bit, err = 2, s.diff(&fb.Diff)
		case "base":
			bit = 3
			if !s.Null() {
				fb.Base = new(Base)
				err = s.base(fb.Base)
			}
		case "metadata":
			bit, err = 4, s.metadata(&fb.Metadata)
		default:
			return s.Skip()
		}
		if err != nil {
			return jsonwalk.InField(key, err)
		}
		return seen.Mark(rules, bit, key)
	})
	if err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	return seen.Require(rules, "payload_id", "index", "diff")
}

func (s *scanner) base(b *Base) error {
	var seen jsonwalk.Seen
	err := s.Object(func(key []byte) (err error) {
		var bit int
		switch string(key) {
		case "parent_hash":
			bit, err = 0, s.Fixed(b.ParentHash[:])
		case "fee_recipient":
			bit, err = 1, s.Fixed(b.FeeRecipient[:])
		case "prev_randao":
			bit, err = 2, s.Fixed(b.PrevRandao[:])
		case "block_number":
			bit = 3
			b.BlockNumber, err = s.Quantity()
		case "gas_limit":
			bit = 4
			b.GasLimit, err = s.Quantity()
		case "timestamp":
			bit = 5
			b.Timestamp, err = s.Quantity()
		case "extra_data":
			bit = 6
			b.ExtraData, err = s.Bytes()
		case "base_fee_per_gas":
			bit = 7
			b.BaseFeePerGas, err = s.quantity256()
		case "parent_beacon_block_root":
			bit = 8
			if !s.Null() {
				b.ParentBeaconBlockRoot = new(common.Hash)
				err = s.Fixed(b.ParentBeaconBlockRoot[:])
			}
		default:
			return s.Skip()
		}
		if err != nil {
			return jsonwalk.InField(key, err)
		}
		return seen.Mark(rules, bit, key)
	})
	if err != nil {
		return err
	}
	return seen.Require(rules, "parent_hash", "fee_recipient", "prev_randao", "block_number", "gas_limit",
		"timestamp", "extra_data", "base_fee_per_gas")
}

func (s *scanner) diff(d *Diff) error {
	var seen jsonwalk.Seen
	err := s.Object(func(key []byte) error {
		bit, err := s.diffField(d, key)
		if err != nil {
			return jsonwalk.InField(key, err)
		}
		if bit < 0 {
			return nil
		}
		return seen.Mark(rules, bit, key)
	})
	if err != nil {
		return err
	}
	return seen.Require(rules, "state_root", "receipts_root", "logs_bloom", "gas_used", "block_hash", "transactions")
}

// diffField reads the value of one key of diff; the bit is negative for an unknown key.
func (s *scanner) diffField(d *Diff, key []byte) (bit int, err error) {
	switch string(key) {
	case "state_root":
		return 0, s.Fixed(d.StateRoot[:])
	case "receipts_root":
		return 1, s.Fixed(d.ReceiptsRoot[:])
	case "logs_bloom":
		return 2, s.Fixed(d.LogsBloom[:])
	case "gas_used":
		d.GasUsed, err = s.Quantity()
		return 3, err
	case "block_hash":
		return 4, s.Fixed(d.BlockHash[:])
	case "transactions":
		return 5, s.Array(func() error {
			tx, err := s.Bytes()
			d.Transactions = append(d.Transactions, tx)
			return err
		})
	case "withdrawals":
		if s.Null() {
			return 6, nil
		}
		return 6, s.Array(func() error {
			w := new(types.Withdrawal)
			d.Withdrawals = append(d.Withdrawals, w)
			return s.withdrawal(w)
		})
	case "withdrawals_root":
		if s.Null() {
			return 7, nil
		}
		return 7, s.Fixed(d.WithdrawalsRoot[:])
	case "blob_gas_used":
		if s.Null() {
			return 8, nil
		}
		d.BlobGasUsed = new(uint64)
		*d.BlobGasUsed, err = s.Quantity()
		return 8, err
	case "post_exec_tx":
		if s.Null() {
			return 9, nil
		}
		d.PostExecTx, err = s.Bytes()
		return 9, err
	default:
		return -1, s.Skip()
	}
}

func (s *scanner) withdrawal(w *types.Withdrawal) error {
	return s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "index":
			w.Index, err = s.Quantity()
		case "validatorIndex":
			w.Validator, err = s.Quantity()
		case "address":
			err = s.Fixed(w.Address[:])
		case "amount":
			w.Amount, err = s.Quantity()
		default:
			err = s.Skip()
		}
		return err
	})
}
