// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
)

// complete fills in what op-geth derives when it reads receipts from the database: price, DA footprint
// and the fees for L1 and the operator. before is the part of the block that fresh, the receipts of txs,
// comes after. The cost is that of the fresh ones.
func complete(cfg *gethparams.ChainConfig, header *types.Header, before, txs types.Transactions, fresh types.Receipts) error {
	if len(txs) == 0 {
		return nil
	}
	// The fees follow from the first transaction of the block, so it has to be in the list. The list
	// has receipts of its own, without logs, whose positions would come out wrong.
	var (
		list = make(types.Transactions, 0, len(txs)+1)
		temp = make(types.Receipts, 0, len(txs)+1)
	)
	if len(before) > 0 {
		list = append(list, before[0])
		temp = append(temp, &types.Receipt{Type: before[0].Type()})
	}
	skip := len(list)
	list = append(list, txs...)
	for _, r := range fresh {
		temp = append(temp, &types.Receipt{
			Type:                  r.Type,
			DepositNonce:          r.DepositNonce,
			DepositReceiptVersion: r.DepositReceiptVersion,
		})
	}
	if err := temp.DeriveFields(cfg, common.Hash{}, header.Number.Uint64(), header.Time, header.BaseFee, nil, list); err != nil {
		return err
	}
	for i, r := range fresh {
		from := temp[skip+i]
		r.EffectiveGasPrice = from.EffectiveGasPrice
		r.BlobGasUsed, r.BlobGasPrice = from.BlobGasUsed, from.BlobGasPrice
		r.L1GasPrice, r.L1BlobBaseFee = from.L1GasPrice, from.L1BlobBaseFee
		r.L1GasUsed, r.L1Fee, r.FeeScalar = from.L1GasUsed, from.L1Fee, from.FeeScalar
		r.L1BaseFeeScalar, r.L1BlobBaseFeeScalar = from.L1BaseFeeScalar, from.L1BlobBaseFeeScalar
		r.OperatorFeeScalar, r.OperatorFeeConstant = from.OperatorFeeScalar, from.OperatorFeeConstant
		r.DAFootprintGasScalar = from.DAFootprintGasScalar
	}
	return nil
}
