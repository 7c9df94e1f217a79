// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package pending

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/internal/ethapi"
	gethparams "github.com/ethereum/go-ethereum/params"

	"github.com/ethereum/go-ethereum/flashgeth/eth/overlay"
)

// The forms of pending objects, as clients have come to expect them: a block and the logs and receipts in
// it name 32 zero bytes as block hash, because ethers refuses null there, transactions name null.

// marshalHeader returns the pending header as eth_getHeaderByNumber answers it.
func (v *view) marshalHeader() map[string]any {
	fields := ethapi.RPCMarshalHeader(v.snap.Block().Header())
	fields["hash"] = common.Hash{}
	return fields
}

// MarshalBlock returns the pending block as eth_getBlockByNumber answers it.
func MarshalBlock(ctx context.Context, config *gethparams.ChainConfig, s *overlay.Snapshot, fullTx bool) (map[string]any, error) {
	fields, err := ethapi.RPCMarshalBlock(ctx, s.Block(), true, fullTx, config, knownReceipts(s.Receipts))
	if err != nil {
		return nil, err
	}
	fields["hash"] = common.Hash{}
	if fullTx {
		txs, _ := fields["transactions"].([]any)
		for _, item := range txs {
			if tx, ok := item.(*ethapi.RPCTransaction); ok {
				tx.BlockHash = nil
			}
		}
	}
	return fields, nil
}

// MarshalTransaction returns a pending transaction with its place in the block, nil beyond the last one.
// op-geth sets the place and the effective price of transactions in a block with a hash only, so it is
// given a block of this one transaction.
func MarshalTransaction(ctx context.Context, config *gethparams.ChainConfig, s *overlay.Snapshot, i int) (*ethapi.RPCTransaction, error) {
	if i >= len(s.Txs) {
		return nil, nil //nolint:nilnil // the API's way to say that there is no such transaction
	}
	block := types.NewBlockWithHeader(s.Header).WithBody(types.Body{Transactions: s.Txs[i : i+1]})
	fields, err := ethapi.RPCMarshalBlock(ctx, block, true, true, config, knownReceipts(s.Receipts[i:i+1]))
	if err != nil {
		return nil, err
	}
	txs, _ := fields["transactions"].([]any)
	tx, ok := txs[0].(*ethapi.RPCTransaction)
	if !ok {
		return nil, errNotMarshalled
	}
	index := hexutil.Uint64(i)
	tx.BlockHash, tx.TransactionIndex = nil, &index
	return tx, nil
}

// marshalReceipt returns the receipt of a pending transaction.
func (v *view) marshalReceipt(i int) map[string]any {
	signer := types.MakeSigner(v.config, v.snap.Header.Number, v.snap.Header.Time)
	return ethapi.MarshalReceipt(v.snap.Receipts[i], common.Hash{}, v.snap.Number(), signer, v.snap.Txs[i], i, v.config)
}

// marshalReceipts returns the receipts of all pending transactions.
func (v *view) marshalReceipts() []map[string]any {
	list := make([]map[string]any, len(v.snap.Receipts))
	for i := range list {
		list[i] = v.marshalReceipt(i)
	}
	return list
}

// knownReceipts are the receipts of the one block that is asked for.
type knownReceipts types.Receipts

// GetReceipts implements ethapi.ReceiptGetter.
func (r knownReceipts) GetReceipts(context.Context, common.Hash) (types.Receipts, error) {
	return types.Receipts(r), nil
}
