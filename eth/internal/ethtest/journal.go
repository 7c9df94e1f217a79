// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package ethtest

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"
	gethparams "github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rlp"
)

// LocalTxs are transactions of User with ascending nonces, on a chain of Jovian.
func LocalTxs(count int) []*types.Transaction {
	config := Jovian.ChainConfig()
	signer := types.LatestSigner(config)
	txs := make([]*types.Transaction, count)
	for i := range txs {
		txs[i] = types.MustSignNewTx(UserKey, signer, &types.DynamicFeeTx{
			ChainID: config.ChainID, Nonce: uint64(i), Gas: 21_000, To: &User,
			GasTipCap: big.NewInt(gethparams.GWei), GasFeeCap: big.NewInt(10 * gethparams.GWei),
		})
	}
	return txs
}

// WriteJournal writes transactions as op-geth's journal of local transactions has them, and returns its path.
func WriteJournal(t testing.TB, txs []*types.Transaction) string {
	t.Helper()
	var buf bytes.Buffer
	for _, tx := range txs {
		require.NoError(t, rlp.Encode(&buf, tx))
	}
	path := filepath.Join(t.TempDir(), "transactions.rlp")
	require.NoError(t, os.WriteFile(path, buf.Bytes(), 0o600))
	return path
}
