// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package miner

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum/go-ethereum/flashgeth/flashblocks"
)

// The listener hears of every flashblock of the stream, in order, with the transactions and the receipts of
// that flashblock alone, and of nothing that was not published.
func TestListenerHearsWhatIsPublished(t *testing.T) {
	t.Parallel()
	var heard []Built
	s := newTimed(t, harnessConfig{fork: jovian, builder: func(c *Config) {
		c.OnFlashblock = func(b Built) { heard = append(heard, b) }
	}})
	slot := s.begin(s.attributes(s.chain.CurrentBlock()))
	for nonce := range uint64(4) {
		slot.send(s.transfer(1, nonce, 100), s.transfer(2, nonce, 100))
		slot.step()
	}
	slot.send(s.transfer(3, 0, 100)) // too late: the payload is fetched before the next deadline
	block := slot.end()
	published := s.stream.flashblocks(t, slot.id)
	require.Len(t, heard, len(published))
	var (
		txs      types.Transactions
		receipts types.Receipts
	)
	for i, b := range heard {
		require.EqualValues(t, i, b.Flashblock.Index)
		require.Equal(t, slot.id, b.Flashblock.PayloadID)
		require.True(t, flashblocks.SameContent(published[i], b.Flashblock))
		require.Equal(t, i == 0, b.Flashblock.Base != nil)
		require.Len(t, b.Receipts, len(b.Txs))
		require.Len(t, b.Flashblock.Diff.Transactions, len(b.Txs))
		require.NotEmpty(t, b.Diff.Accounts)
		txs, receipts = append(txs, b.Txs...), append(receipts, b.Receipts...)
	}
	require.Len(t, txs, len(block.ExecutionPayload.Transactions))
	for i, tx := range txs {
		raw, err := tx.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, block.ExecutionPayload.Transactions[i], raw)
		require.Equal(t, tx.Hash(), receipts[i].TxHash)
	}
}
