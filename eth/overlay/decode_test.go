// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package overlay

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
	"github.com/ethereum/go-ethereum/flashgeth/internal/testchain"
)

// Transactions decode in their order with the senders that signed them, up to one that does not decode.
func TestDecode(t *testing.T) {
	t.Parallel()
	h := newJovian(t)
	raws := make([][]byte, 300)
	for i := range raws {
		var err error
		raws[i], err = h.Transfer(i%3, uint64(i), 5).MarshalBinary()
		require.NoError(t, err)
	}
	check := func(txs types.Transactions) {
		for i, tx := range txs {
			require.EqualValues(t, i, tx.Nonce())
			from, err := types.Sender(h.Signer, tx)
			require.NoError(t, err)
			require.Equal(t, h.Addrs[i%3], from)
		}
	}
	txs, err := decode(h.Signer, raws)
	require.NoError(t, err)
	require.Len(t, txs, len(raws))
	check(txs)

	raws[123] = []byte{0x02, 0xff}
	txs, err = decode(h.Signer, raws)
	require.ErrorIs(t, err, errBadTransaction)
	require.ErrorContains(t, err, ": 123: ")
	require.Len(t, txs, 123)
	check(txs)
}

// A panic over the transactions of a flashblock is the end of that flashblock and of nothing else.
func TestPanicOverTransactions(t *testing.T) {
	t.Parallel()
	h := newHarness(t, harnessConfig{chain: testchain.Config{Fork: testchain.Jovian}})
	raw, err := h.Transfer(0, 0, 5).MarshalBinary()
	require.NoError(t, err)
	b := &block{base: new(flashblocks.Base), signer: h.Signer} // without an execution: to use it panics
	err = b.extend(&flashblocks.Flashblock{Diff: flashblocks.Diff{Transactions: [][]byte{raw}}})
	require.ErrorIs(t, err, errPanic)
}
