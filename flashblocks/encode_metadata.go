// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"strconv"

	"github.com/ethereum/go-ethereum/core/types"
)

func (m *Metadata) appendJSON(buf []byte) []byte {
	switch m.Dialect {
	case DialectTrimmed:
		return m.appendTrimmed(buf)
	case DialectAccessList:
		if len(m.Raw) > 0 {
			return append(buf, m.Raw...)
		}
		buf = append(buf, `{"block_number":`...)
		buf = strconv.AppendUint(buf, m.BlockNumber, 10)
		return append(buf, `,"access_list":null}`...)
	case DialectOpaque:
		if len(m.Raw) > 0 {
			return append(buf, m.Raw...)
		}
		return append(buf, `{}`...)
	default:
		return m.appendFull(buf)
	}
}

func (m *Metadata) appendTrimmed(buf []byte) []byte {
	buf = append(buf, `{"block_number":`...)
	buf = strconv.AppendUint(buf, m.BlockNumber, 10)
	buf = append(buf, `,"prev_flashblock_id":`...)
	if m.PrevFlashblockID == nil {
		return append(buf, `null}`...)
	}
	buf = append(buf, `{"block_number":`...)
	buf = strconv.AppendUint(buf, m.PrevFlashblockID.BlockNumber, 10)
	buf = append(buf, `,"index":`...)
	buf = strconv.AppendUint(buf, m.PrevFlashblockID.Index, 10)
	return append(buf, `}}`...)
}

func (m *Metadata) appendFull(buf []byte) []byte {
	buf = append(buf, `{"block_number":`...)
	buf = strconv.AppendUint(buf, m.BlockNumber, 10)
	buf = append(buf, `,"new_account_balances":{`...)
	for i := range m.NewAccountBalances {
		if i > 0 {
			buf = append(buf, ',')
		}
		account := &m.NewAccountBalances[i]
		buf = appendHex(buf, account.Address[:])
		buf = append(buf, ':')
		buf = appendQuantity256(buf, account.Balance)
	}
	buf = append(buf, `},"receipts":{`...)
	first := true
	for i := range m.Receipts {
		receipt := &m.Receipts[i]
		if receipt.Receipt == nil {
			continue
		}
		if !first {
			buf = append(buf, ',')
		}
		first = false
		buf = appendHex(buf, receipt.TxHash[:])
		buf = append(buf, ':')
		buf = append(buf, '{')
		buf = appendReceiptFields(buf, receipt.Receipt)
		buf = append(buf, '}')
	}
	return append(buf, `}}`...)
}

// appendReceiptFields writes the consensus fields of a receipt, internally tagged, without braces.
func appendReceiptFields(buf []byte, r *types.Receipt) []byte {
	buf = append(buf, `"type":`...)
	buf = appendQuantity(buf, uint64(r.Type))
	buf = append(buf, `,"status":`...)
	buf = appendQuantity(buf, r.Status)
	buf = append(buf, `,"cumulativeGasUsed":`...)
	buf = appendQuantity(buf, r.CumulativeGasUsed)
	buf = append(buf, `,"logs":[`...)
	for i, l := range r.Logs {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendLog(buf, l)
	}
	buf = append(buf, ']')
	if r.DepositNonce != nil {
		buf = append(buf, `,"depositNonce":`...)
		buf = appendQuantity(buf, *r.DepositNonce)
	}
	if r.DepositReceiptVersion != nil {
		buf = append(buf, `,"depositReceiptVersion":`...)
		buf = appendQuantity(buf, *r.DepositReceiptVersion)
	}
	return buf
}

func appendLog(buf []byte, l *types.Log) []byte {
	buf = append(buf, `{"address":`...)
	buf = appendHex(buf, l.Address[:])
	buf = append(buf, `,"topics":[`...)
	for i := range l.Topics {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendHex(buf, l.Topics[i][:])
	}
	buf = append(buf, `],"data":`...)
	buf = appendHex(buf, l.Data)
	return append(buf, '}')
}
