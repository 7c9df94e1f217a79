// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package proxy

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// touched is what the filters of all clients look at in one message.
type touched struct {
	addresses map[common.Address]struct{} // senders, recipients, touched accounts, emitters of logs
	topics    map[common.Hash]struct{}
	blind     bool // the stream carries no receipts: topics cannot be known
	unsure    bool // part of the message could not be read: it must be delivered to everybody
}

// newTouched derives the sets. A message that cannot be decoded has passed through all the same, so
// nobody may lose it to a filter.
func newTouched(fb *flashblocks.Flashblock) *touched {
	t := &touched{addresses: make(map[common.Address]struct{}), topics: make(map[common.Hash]struct{})}
	if fb == nil {
		t.unsure = true
		return t
	}
	t.blind = fb.Metadata.Dialect != flashblocks.DialectFull
	t.unsure = fb.Metadata.UnknownReceipts > 0
	for i := range fb.Metadata.NewAccountBalances {
		t.addresses[fb.Metadata.NewAccountBalances[i].Address] = struct{}{}
	}
	for i := range fb.Metadata.Receipts {
		t.addReceipt(fb.Metadata.Receipts[i].Receipt)
	}
	// Senders pay, so where balances are carried they are known; recovering them costs far more than
	// everything else here.
	recoverSenders := len(fb.Metadata.NewAccountBalances) == 0
	for _, encoded := range fb.Diff.Transactions {
		t.addTransaction(encoded, recoverSenders)
	}
	return t
}

func (t *touched) addReceipt(r *types.Receipt) {
	if r == nil {
		t.unsure = true
		return
	}
	for _, entry := range r.Logs {
		t.addresses[entry.Address] = struct{}{}
		for _, topic := range entry.Topics {
			t.topics[topic] = struct{}{}
		}
	}
}

func (t *touched) addTransaction(encoded []byte, recoverSender bool) {
	var tx types.Transaction
	if err := tx.UnmarshalBinary(encoded); err != nil {
		t.unsure = true // of a type this build does not know
		return
	}
	if to := tx.To(); to != nil {
		t.addresses[*to] = struct{}{}
	}
	if !recoverSender && !tx.IsDepositTx() {
		return
	}
	sender, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), &tx)
	if err != nil {
		t.unsure = true
		return
	}
	t.addresses[sender] = struct{}{}
}
