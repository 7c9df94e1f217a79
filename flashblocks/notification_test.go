// Copyright 2026 The flashgeth Authors
// SPDX-License-Identifier: LGPL-3.0-or-later

package flashblocks

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

func TestNotificationGolden(t *testing.T) {
	t.Parallel()
	base := goldenFlashblock().Base
	trimmed := goldenTrimmed(nil)
	trimmed.Diff.StateRoot = repeatedHash(0)
	for name, n := range map[string]*Notification{
		"v0-index0.json":              NewNotification(goldenFlashblock(), base),
		"v0-index4.json":              NewNotification(goldenUserFlashblock(), base),
		"v0-without-receipts.json":    NewNotification(trimmed, base),
		"v0-sealed.json":              NewSealedNotification(base, 10, repeatedHash(0x99), 0x3d090),
		"v0-reorg.json":               NewReorgNotification(base, 3),
		"v0-disconnected.json":        NewDisconnectNotification(FlashblockID{BlockNumber: 123456, Index: 3}),
		"v0-disconnected-before.json": NewDisconnectNotification(FlashblockID{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := n.AppendJSON(nil)
			checkGolden(t, name, got)
			var envelope struct {
				Version string          `json:"jsonrpc"`
				Method  string          `json:"method"`
				ID      json.RawMessage `json:"id"`
				Params  json.RawMessage `json:"params"`
			}
			require.NoError(t, json.Unmarshal(got, &envelope))
			require.Equal(t, "2.0", envelope.Version)
			require.Equal(t, "flashblocks_v0", envelope.Method)
			require.Nil(t, envelope.ID, "a notification has no id")
			params, err := json.Marshal(n)
			require.NoError(t, err)
			require.Equal(t, string(params), string(envelope.Params))
		})
	}
}

func TestNotificationFields(t *testing.T) {
	t.Parallel()
	fb, base := goldenUserFlashblock(), goldenFlashblock().Base
	var got struct {
		Index        uint64          `json:"index"`
		BlockNumber  hexutil.Uint64  `json:"blockNumber"`
		ParentHash   string          `json:"parentHash"`
		Timestamp    hexutil.Uint64  `json:"timestamp"`
		Transactions []hexutil.Bytes `json:"transactions"`
		Receipts     []struct {
			TransactionHash string `json:"transactionHash"`
			Type            string `json:"type"`
		} `json:"receipts"`
		StateRoot string         `json:"stateRoot"`
		GasUsed   hexutil.Uint64 `json:"gasUsed"`
		Sealed    *bool          `json:"sealed"`
		Reorg     *bool          `json:"reorg"`
	}
	require.NoError(t, json.Unmarshal(NewNotification(fb, base).AppendParams(nil), &got))
	require.EqualValues(t, 4, got.Index)
	require.EqualValues(t, base.BlockNumber, got.BlockNumber)
	require.Equal(t, base.ParentHash.Hex(), got.ParentHash)
	require.EqualValues(t, base.Timestamp, got.Timestamp)
	require.Len(t, got.Transactions, 2)
	require.Len(t, got.Receipts, 2)
	require.Equal(t, repeatedHash(0xaa).Hex(), got.Receipts[0].TransactionHash)
	require.Equal(t, "0x2", got.Receipts[0].Type)
	require.Equal(t, fb.Diff.StateRoot.Hex(), got.StateRoot)
	require.EqualValues(t, fb.Diff.GasUsed, got.GasUsed)
	require.False(t, *got.Sealed)
	require.Nil(t, got.Reorg)
}

func TestNotificationSizeHint(t *testing.T) {
	t.Parallel()
	fb := newGenerator(6).full(50)
	n := NewNotification(fb, fb.Base)
	buf := make([]byte, 0, n.sizeHint())
	require.LessOrEqual(t, len(n.AppendParams(nil)), cap(buf))
}
