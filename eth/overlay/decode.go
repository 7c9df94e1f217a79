// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"fmt"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
)

// decode makes the transactions of a flashblock, and has op-geth recover their senders in the background while the
// first of them are executed: that takes longer than executing most of them. If one does not decode, it returns those
// before it, and the reason.
func decode(signer types.Signer, raws [][]byte) (types.Transactions, error) {
	txs := make(types.Transactions, 0, len(raws))
	for i, raw := range raws {
		tx := new(types.Transaction)
		err := tx.UnmarshalBinary(raw)
		if err == nil && tx.Type() == types.PostExecTxType {
			err = errNotExecuted // op-geth decodes it, and would take it for a transaction of account zero
		}
		if err != nil {
			return txs, fmt.Errorf("%w: %d: %w", errBadTransaction, i, err)
		}
		txs = append(txs, tx)
	}
	core.SenderCacher().Recover(signer, txs) // each sender is kept in its transaction; what is wrong with it is for the execution to say
	return txs, nil
}
