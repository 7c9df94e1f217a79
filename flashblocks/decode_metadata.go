// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"cmp"
	"errors"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/internal/jsonwalk"
)

// metadata reads the metadata of any dialect. What does not fit one of them is kept raw: metadata only
// saves its reader work, so it must not cost anyone the transactions. Only bad JSON fails.
func (s *scanner) metadata(m *Metadata) error {
	s.Peek()
	start := s.Pos()
	known := metadataReader{scanner: *s}
	err := known.read()
	if err == nil {
		*m = known.meta
		if m.Dialect == DialectAccessList || m.Dialect == DialectOpaque {
			m.Raw = known.Since(start)
		}
		*s = known.scanner
		return nil
	}
	free := *s
	*m = Metadata{Dialect: DialectOpaque}
	if m.Raw, err = s.Raw(); err != nil {
		return err
	}
	if number, err := free.blockNumber(); err == nil {
		m.BlockNumber = number
	}
	return nil
}

// blockNumber reads an object for its block_number alone.
func (s *scanner) blockNumber() (number uint64, err error) {
	var seen jsonwalk.Seen
	err = s.Object(func(key []byte) (err error) {
		if string(key) != "block_number" {
			return s.Skip()
		}
		if number, err = s.Quantity(); err != nil {
			return jsonwalk.InField(key, err)
		}
		return seen.Mark(rules, 0, key)
	})
	if err != nil {
		return 0, err
	}
	return number, seen.Require(rules, "block_number")
}

// metadataReader reads metadata under the assumption that it is of a known dialect.
type metadataReader struct {
	scanner
	meta Metadata

	// Which of the telling keys were met.
	number, full, prev, accessList, other bool
}

func (r *metadataReader) read() error {
	if err := r.Object(r.field); err != nil {
		return err
	}
	m := &r.meta
	switch {
	case r.full && r.number:
		m.Dialect = DialectFull
	case r.accessList && r.number:
		m.Dialect = DialectAccessList
	case r.number && (r.prev || !r.other):
		m.Dialect = DialectTrimmed
	default:
		*m = Metadata{Dialect: DialectOpaque, BlockNumber: m.BlockNumber}
	}
	return nil
}

func (r *metadataReader) field(key []byte) (err error) {
	switch string(key) {
	case "block_number":
		if r.number {
			return ErrDuplicateField
		}
		if r.meta.BlockNumber, err = r.Quantity(); err == nil {
			r.number = true
		}
		return err
	case "new_account_balances":
		if r.Null() {
			return nil
		}
		r.full = true
		return r.balances()
	case "receipts":
		if r.Null() {
			return nil
		}
		r.full = true
		return r.receipts()
	case "access_list":
		r.accessList = true
		return r.Skip()
	case "prev_flashblock_id":
		r.prev = true
		if r.Null() {
			return nil
		}
		r.meta.PrevFlashblockID = new(FlashblockID)
		return r.position(r.meta.PrevFlashblockID)
	default:
		r.other = true
		return r.Skip()
	}
}

func (s *scanner) position(id *FlashblockID) error {
	return s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "block_number":
			id.BlockNumber, err = s.Quantity()
		case "index":
			id.Index, err = s.Quantity()
		default:
			err = s.Skip()
		}
		return err
	})
}

func (r *metadataReader) balances() error {
	return r.Object(func(key []byte) (err error) {
		var account AccountBalance
		if err := r.FixedText(account.Address[:], key); err != nil {
			return err
		}
		if account.Balance, err = r.quantity256(); err != nil {
			return err
		}
		r.meta.NewAccountBalances = append(r.meta.NewAccountBalances, account)
		return nil
	})
}

// receipts reads the map of receipts, leaving out those it does not understand. Some producers sort
// the map by hash; the cumulative gas gives back the order of the transactions.
func (r *metadataReader) receipts() error {
	defer func() {
		slices.SortStableFunc(r.meta.Receipts, func(a, b Receipt) int {
			return cmp.Compare(a.Receipt.CumulativeGasUsed, b.Receipt.CumulativeGasUsed)
		})
	}()
	return r.Object(func(key []byte) error {
		start := r.scanner
		receipt := Receipt{Receipt: new(types.Receipt)}
		err := r.FixedText(receipt.TxHash[:], key)
		if err == nil {
			err = r.receipt(receipt.Receipt)
		}
		if err == nil {
			receipt.Receipt.TxHash = receipt.TxHash
			r.meta.Receipts = append(r.meta.Receipts, receipt)
			return nil
		}
		r.meta.UnknownReceipts++
		r.scanner = start
		return r.Skip()
	})
}

// errUnknownReceipt marks a receipt of a type not known here; it never leaves the decoder.
var errUnknownReceipt = errors.New("unknown receipt type")

// receiptVariant maps the external tag of older emitters to the transaction type.
func receiptVariant(tag []byte) (uint8, bool) {
	switch string(tag) {
	case "Legacy":
		return types.LegacyTxType, true
	case "Eip2930":
		return types.AccessListTxType, true
	case "Eip1559":
		return types.DynamicFeeTxType, true
	case "Eip7702":
		return types.SetCodeTxType, true
	case "Deposit":
		return types.DepositTxType, true
	case "PostExec":
		return types.PostExecTxType, true
	}
	return 0, false
}

func knownReceiptType(v uint64) bool {
	switch v {
	case types.LegacyTxType, types.AccessListTxType, types.DynamicFeeTxType, types.SetCodeTxType,
		types.DepositTxType, types.PostExecTxType:
		return true
	}
	return false
}

// receipt reads a receipt with either tagging: a "type" among its fields, or the name of the variant
// around them.
func (s *scanner) receipt(r *types.Receipt) error {
	var seen jsonwalk.Seen
	err := s.Object(func(key []byte) error {
		if variant, ok := receiptVariant(key); ok {
			r.Type = variant
			if err := seen.Mark(rules, 0, key); err != nil {
				return err
			}
			return s.Object(func(key []byte) error { return s.receiptField(r, &seen, key) })
		}
		return s.receiptField(r, &seen, key)
	})
	if err != nil {
		return err
	}
	return seen.Require(rules, "type", "status", "cumulativeGasUsed", "logs")
}

func (s *scanner) receiptField(r *types.Receipt, seen *jsonwalk.Seen, key []byte) (err error) {
	var bit int
	switch string(key) {
	case "type":
		var v uint64
		if v, err = s.Quantity(); err == nil && !knownReceiptType(v) {
			err = errUnknownReceipt
		}
		bit, r.Type = 0, uint8(v)
	case "status":
		bit = 1
		r.Status, err = s.status()
	case "cumulativeGasUsed":
		bit = 2
		r.CumulativeGasUsed, err = s.Quantity()
	case "logs":
		bit = 3
		r.Logs, err = s.logs()
	case "depositNonce":
		bit = 4
		r.DepositNonce, err = s.optionalQuantity()
	case "depositReceiptVersion":
		bit = 5
		r.DepositReceiptVersion, err = s.optionalQuantity()
	default:
		return s.Skip()
	}
	if err != nil {
		return err
	}
	return seen.Mark(rules, bit, key)
}

func (s *scanner) optionalQuantity() (*uint64, error) {
	if s.Null() {
		return nil, nil
	}
	v, err := s.Quantity()
	return &v, err
}

// logs reads the logs of a receipt. The result is never nil, as in receipts made by execution.
func (s *scanner) logs() ([]*types.Log, error) {
	logs := []*types.Log{}
	err := s.Array(func() error {
		l := &types.Log{Topics: []common.Hash{}, Data: []byte{}}
		logs = append(logs, l)
		return s.Object(func(key []byte) (err error) {
			switch string(key) {
			case "address":
				return s.Fixed(l.Address[:])
			case "topics":
				return s.Array(func() error {
					var topic common.Hash
					err := s.Fixed(topic[:])
					l.Topics = append(l.Topics, topic)
					return err
				})
			case "data":
				l.Data, err = s.Bytes()
				return err
			default:
				return s.Skip()
			}
		})
	})
	return logs, err
}
