// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
)

var _ json.Marshaler = (*Notification)(nil)

// NotificationMethod is the JSON-RPC method of v0 notifications.
const NotificationMethod = "flashblocks_v0"

// Notification is one message of the v0 stream. On the wire it is a JSON-RPC notification whose params
// are the object below; a subscription delivers the object alone (MarshalJSON).
//
//	{"jsonrpc":"2.0","method":"flashblocks_v0","params":{
//	  "index":4,                  plain number
//	  "blockNumber":"0x1e240",    quantity
//	  "parentHash":"0x…",         32 bytes
//	  "timestamp":"0x69a0c0de",   quantity, seconds
//	  "transactions":["0x02…"],   EIP-2718, new at this index
//	  "receipts":[{…}],           of these transactions, in order, as in v1 metadata and with
//	                              "transactionHash" first; empty if the stream carries none
//	  "stateRoot":"0x…",          zero unless known
//	  "gasUsed":"0x3d090",        quantity, cumulative
//	  "sealed":false}}            true in the last message of a block, with the real state root
//
// When a block that was published in part is abandoned, the message has sealed false and an extra
// "reorg":true, and names the last index published. When the upstream is lost, params are
// {"disconnected":true} with the index and blockNumber of the last flashblock seen, if any.
type Notification struct {
	Index        uint64
	BlockNumber  uint64
	ParentHash   common.Hash
	Timestamp    uint64 // seconds
	Transactions [][]byte
	Receipts     []Receipt
	StateRoot    common.Hash
	GasUsed      uint64 // cumulative
	Sealed       bool
	Reorg        bool

	// Disconnected makes this the notice of a lost upstream. Then only Index and BlockNumber count, and
	// only if BlockNumber is not zero.
	Disconnected bool
}

// NewNotification builds the notification of one flashblock. base is the one of its block.
func NewNotification(fb *Flashblock, base *Base) *Notification {
	n := newBlockNotification(base, fb.Index)
	n.Transactions = fb.Diff.Transactions
	n.Receipts = fb.Metadata.Receipts
	n.StateRoot = fb.Diff.StateRoot
	n.GasUsed = fb.Diff.GasUsed
	return n
}

// NewSealedNotification builds the last notification of a block, with its final state root and gas
// used. index is the last one published.
func NewSealedNotification(base *Base, index uint64, stateRoot common.Hash, gasUsed uint64) *Notification {
	n := newBlockNotification(base, index)
	n.StateRoot = stateRoot
	n.GasUsed = gasUsed
	n.Sealed = true
	return n
}

// NewReorgNotification says that the block was abandoned after index had been published. Nothing that
// was published of it counts.
func NewReorgNotification(base *Base, index uint64) *Notification {
	n := newBlockNotification(base, index)
	n.Reorg = true
	return n
}

// NewDisconnectNotification says that the upstream was lost after last, which is zero if nothing had
// been received.
func NewDisconnectNotification(last FlashblockID) *Notification {
	return &Notification{Disconnected: true, Index: last.Index, BlockNumber: last.BlockNumber}
}

func newBlockNotification(base *Base, index uint64) *Notification {
	return &Notification{
		Index:       index,
		BlockNumber: base.BlockNumber,
		ParentHash:  base.ParentHash,
		Timestamp:   base.Timestamp,
	}
}

// MarshalJSON implements json.Marshaler with the bytes of AppendParams. It never fails.
func (n *Notification) MarshalJSON() ([]byte, error) {
	return n.AppendParams(nil), nil
}

// AppendJSON appends the notification with its JSON-RPC envelope and returns the extended buffer.
func (n *Notification) AppendJSON(buf []byte) []byte {
	buf = append(buf, `{"jsonrpc":"2.0","method":"`+NotificationMethod+`","params":`...)
	buf = n.AppendParams(buf)
	return append(buf, '}')
}

// AppendParams appends the params object alone and returns the extended buffer.
func (n *Notification) AppendParams(buf []byte) []byte {
	if n.Disconnected {
		return n.appendDisconnect(buf)
	}
	buf = slices.Grow(buf, n.sizeHint())
	buf = append(buf, `{"index":`...)
	buf = strconv.AppendUint(buf, n.Index, 10)
	buf = append(buf, `,"blockNumber":`...)
	buf = appendQuantity(buf, n.BlockNumber)
	buf = append(buf, `,"parentHash":`...)
	buf = appendHex(buf, n.ParentHash[:])
	buf = append(buf, `,"timestamp":`...)
	buf = appendQuantity(buf, n.Timestamp)
	buf = append(buf, `,"transactions":`...)
	buf = appendTransactions(buf, n.Transactions)
	buf = append(buf, `,"receipts":[`...)
	buf = n.appendReceipts(buf)
	buf = append(buf, `],"stateRoot":`...)
	buf = appendHex(buf, n.StateRoot[:])
	buf = append(buf, `,"gasUsed":`...)
	buf = appendQuantity(buf, n.GasUsed)
	buf = append(buf, `,"sealed":`...)
	buf = strconv.AppendBool(buf, n.Sealed)
	if n.Reorg {
		buf = append(buf, `,"reorg":true`...)
	}
	return append(buf, '}')
}

func (n *Notification) appendReceipts(buf []byte) []byte {
	first := true
	for i := range n.Receipts {
		receipt := &n.Receipts[i]
		if receipt.Receipt == nil {
			continue
		}
		if !first {
			buf = append(buf, ',')
		}
		first = false
		buf = append(buf, `{"transactionHash":`...)
		buf = appendHex(buf, receipt.TxHash[:])
		buf = append(buf, ',')
		buf = appendReceiptFields(buf, receipt.Receipt)
		buf = append(buf, '}')
	}
	return buf
}

func (n *Notification) appendDisconnect(buf []byte) []byte {
	buf = append(buf, '{')
	if n.BlockNumber != 0 {
		buf = append(buf, `"index":`...)
		buf = strconv.AppendUint(buf, n.Index, 10)
		buf = append(buf, `,"blockNumber":`...)
		buf = appendQuantity(buf, n.BlockNumber)
		buf = append(buf, ',')
	}
	return append(buf, `"disconnected":true}`...)
}

func (n *Notification) sizeHint() int {
	size := fixedSize
	for _, tx := range n.Transactions {
		size += 2*len(tx) + 5
	}
	for i := range n.Receipts {
		size += receiptSizeHint(n.Receipts[i].Receipt)
	}
	return size
}
